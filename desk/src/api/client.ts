import type { Problem } from "./types";

/** An answer that is no success: the problem the service described, or `status` 0 when it was not reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem | null;

  constructor(status: number, problem: Problem | null) {
    super(problem?.detail ?? problem?.title ?? `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }

  /** The message for one field of a form, or null. */
  field(name: string): string | null {
    return this.problem?.errors?.find((error) => error.field === name)?.message ?? null;
  }
}

export interface RequestOptions {
  body?: unknown;
  query?: Record<string, string | number | null | undefined>;
  /** The version this change was made upon; the service answers 412 when somebody was faster. */
  ifMatch?: number;
  /** The same key does nothing twice, so a repeated press or a lost answer is harmless. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

let csrfToken: string | null = null;
let onSignedOut: () => void = () => undefined;

/** Token sent with everything that changes something; comes with `/me`. */
export function useCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Called whenever the service says that nobody is signed in any more. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

/** The API lies beside the page, wherever a proxy has put both. */
export function apiUrl(path: string, query: RequestOptions["query"] = {}): URL {
  const url = new URL(`api/v1${path}`, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url;
}

function headers(method: string, options: RequestOptions): Headers {
  const result = new Headers({ Accept: "application/json" });
  if (options.body !== undefined) result.set("Content-Type", "application/json");
  if (method !== "GET" && csrfToken) result.set("X-CSRF-Token", csrfToken);
  if (options.ifMatch !== undefined) result.set("If-Match", `"${options.ifMatch}"`);
  if (options.idempotencyKey) result.set("Idempotency-Key", options.idempotencyKey);
  return result;
}

async function problemOf(response: Response): Promise<Problem | null> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return null;
  }
}

/** One request; resolves to the decoded body (undefined for 204).
 *
 * @throws {ApiError} for every answer but 2xx, and with status 0 when there was none.
 */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  return ask<T>(method, path, options, headers(method, options), body);
}

/** Sends a file as a form of one field, `file`. @throws {ApiError} as `request` does. */
export async function upload<T>(path: string, file: File): Promise<T> {
  const form = new FormData();
  form.append("file", file, file.name);
  return ask<T>("POST", path, {}, headers("POST", {}), form);
}

async function ask<T>(method: string, path: string, options: RequestOptions, told: Headers, body?: string | FormData): Promise<T> {
  let response: Response;
  try {
    response = await fetch(apiUrl(path, options.query), {
      method,
      headers: told,
      credentials: "same-origin",
      ...(body !== undefined && { body }),
      ...(options.signal && { signal: options.signal }),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, null);
  }
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  if (response.status === 401 && path !== "/session") onSignedOut();
  throw new ApiError(response.status, await problemOf(response));
}
