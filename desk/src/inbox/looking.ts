/** The thread before somebody's eyes, or null. */
let open: string | null = null;

export function lookAt(thread: string | null): void {
  open = thread;
}

export function isLookedAt(thread: string): boolean {
  return open === thread && !document.hidden && document.hasFocus();
}
