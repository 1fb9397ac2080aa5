/** A fresh Idempotency-Key. `crypto.randomUUID` is missing on plain http off loopback. */
export function freshKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
