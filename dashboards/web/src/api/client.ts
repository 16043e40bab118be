/** One door to the gateway: JSON in and out, its one error shape, the header that marks our own requests. */

const PREFIX = "api/v1/";

/** A request that was answered with something else than the thing asked for. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: unknown = undefined,
  ) {
    super(message);
    this.name = "Refusal";
  }
}

let language = "en";
let onLoggedOut: () => void = () => undefined;

export function speak(lang: string): void {
  language = lang;
}

/** Name what happens when the gateway does not know us (any more). */
export function whenLoggedOut(then: () => void): void {
  onLoggedOut = then;
}

interface ErrorBody {
  error?: { code?: string; message?: string; details?: unknown };
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": language };
  if (method !== "GET") headers["X-Fengsui-Request"] = "1";
  if (body !== undefined) headers["Content-Type"] = body instanceof Blob ? "application/octet-stream" : "application/json";
  let answer: Response;
  try {
    answer = await fetch(PREFIX + path, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Refusal(0, "unreachable", "");
  }
  const text = await answer.text();
  let content: unknown;
  try {
    content = text === "" ? {} : JSON.parse(text);
  } catch {
    throw new Refusal(answer.status, "malformed", "");
  }
  if (!answer.ok) {
    const error = (content as ErrorBody).error ?? {};
    if (answer.status === 401 && path !== "login") onLoggedOut();
    throw new Refusal(answer.status, error.code ?? "unknown", error.message ?? "", error.details);
  }
  return content as T;
}

type Query = Record<string, string | number | boolean | undefined>;

export function address(path: string, query: Query = {}): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== "") words.set(name, String(value));
  const tail = words.toString();
  return tail === "" ? path : `${path}?${tail}`;
}

export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return call<T>("GET", address(path, query), undefined, signal);
}

/** Send a file as it is. */
export function send<T>(path: string, query: Query, content: Blob): Promise<T> {
  return call<T>("POST", address(path, query), content);
}

export function post<T>(path: string, body: unknown = {}): Promise<T> {
  return call<T>("POST", path, body);
}
