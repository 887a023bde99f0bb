// Calls of the public API, as any client makes them: a form is posted, and JSON comes back.

/** A value of a parameter. Lists are sent comma-separated; a list of records is a map parameter: name[0].key=value. */
export type Value = string | number | boolean | null | undefined | string[] | Record<string, string>[];
export type Parameters = Record<string, Value>;
/** A row of an answer, as it came. */
export type Row = Record<string, unknown> & { id: string };

/** What the API refused, in its own words. `status` is HTTP's; 0 where the server was not reached. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly command: string,
  ) {
    super(message);
  }
}

const ENDPOINT = new URL("../client/api", location.href.replace(/#.*/, "").replace(/[^/]*$/, ""));
/** What is called on the way into a session. */
const SIGNING_IN = new Set([
  "login",
  "logout",
  "listUserTwoFactorAuthenticatorProviders",
  "setupUserTwoFactorAuthentication",
  "validateUserTwoFactorAuthenticationCode",
]);
let sessionKey = "";
// Not while a session is over or wants a second factor: the server ends a session for a call with another's key, and
// the browser has the next one's cookies before this page has its key.
let holds = true;
let onSessionOver: () => void = () => undefined;

/** The key that goes with every call from now on. Until it is `verified`, nothing but signing in is sent. */
export function useSessionKey(key: string, verified = true): void {
  sessionKey = key;
  holds = verified;
}

/** Have `callback` called whenever the server says that the session is over. */
export function whenSessionIsOver(callback: () => void): void {
  onSessionOver = callback;
}

/** The address of a GET request, for what a browser fetches itself: the change feed, a download. */
export function addressOf(command: string, parameters: Parameters = {}): string {
  const address = new URL(ENDPOINT);
  address.search = bodyOf(command, parameters).toString();
  return address.toString();
}

function bodyOf(command: string, parameters: Parameters): URLSearchParams {
  const body = new URLSearchParams({ command, response: "json" });
  for (const [name, value] of Object.entries(parameters)) {
    add(body, name, value);
  }
  if (sessionKey) {
    body.set("sessionkey", sessionKey);
  }
  return body;
}

function add(body: URLSearchParams, name: string, value: Value): void {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) {
    return;
  }
  if (!Array.isArray(value)) {
    body.set(name, String(value));
  } else if (typeof value[0] === "string") {
    body.set(name, value.join(","));
  } else {
    (value as Record<string, string>[]).forEach((entries, index) => {
      for (const [key, entry] of Object.entries(entries)) {
        body.set(`${name}[${index}].${key}`, entry);
      }
    });
  }
}

/** Call a command; its answer without the outer name. Raises ApiError, at once where the session is over. */
export async function call<T = Record<string, unknown>>(
  command: string,
  parameters: Parameters = {},
  signal?: AbortSignal,
): Promise<T> {
  if (!holds && !SIGNING_IN.has(command)) {
    throw new ApiError("The session is over", 401, command);
  }
  let response: Response;
  const key = sessionKey;
  try {
    response = await fetch(ENDPOINT, {
      method: "POST",
      body: bodyOf(command, parameters),
      credentials: "same-origin",
      signal,
    });
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw new ApiError("The management server cannot be reached", 0, command);
  }
  const body = (await response.json().catch(() => ({}))) as Record<string, Record<string, unknown>>;
  const answer = Object.values(body)[0] ?? {};
  if (response.ok) {
    return answer as T;
  }
  if (response.status === 401 && key === sessionKey && command !== "login" && command !== "logout") {
    holds = false;
    onSessionOver();
  }
  throw new ApiError(String(answer.errortext ?? response.statusText), response.status, command);
}

export interface Page<T = Row> {
  rows: T[];
  /** How many there are on all pages. */
  count: number;
}

/** Call a list command; `key` is the member of the answer that holds the rows. */
export async function list<T = Row>(
  command: string,
  key: string,
  parameters: Parameters = {},
  signal?: AbortSignal,
): Promise<Page<T>> {
  const answer = await call<Record<string, unknown>>(command, parameters, signal);
  const rows = (answer[key] ?? []) as T[];
  return { rows, count: Number(answer.count ?? rows.length) };
}
