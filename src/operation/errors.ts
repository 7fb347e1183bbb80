/**
 * What becomes of an error in an author's function: it is logged, and told to those who called `service.onError()`.
 */
import type { Logger } from "../settings.ts";

/** A function of the author's. */
export type AuthorFunction = (this: unknown, ...args: unknown[]) => unknown;

export const isFunction = (value: unknown): value is AuthorFunction => typeof value === "function";

/** Which function has thrown, or rejected. */
export interface ErrorPlace {
  /** The function, in words for a log: `a listener of "chat"`, `a middleware`, `an acknowledgement`. */
  readonly in: string;
  /** The event that it was called for. */
  readonly event?: string | undefined;
  /** The name of the Socket.IO namespace: "/board". */
  readonly namespace?: string | undefined;
  /** The id of the Socket.IO socket. */
  readonly socket?: string | undefined;
  /** What Hono's `requestId()` middleware has given to the request that opened the socket's session. */
  readonly requestId?: string | undefined;
}

/** What `service.onError()` takes. */
export type ErrorListener = (error: unknown, place: ErrorPlace) => unknown;

/** Takes the errors of authors' functions. */
export type ErrorReporter = Pick<Errors, "report">;

/** Throws each error again where it was caught: there it is uncaught, as it would be with Socket.IO alone. */
export const uncaught: ErrorReporter = {
  report(error) {
    throw error;
  },
};

/** An error like one that was logged less than this many milliseconds ago is only counted. */
const QUIET_TIME = 1000;

/** How many different errors are remembered as logged. */
const MAX_REMEMBERED = 100;

export class Errors {
  readonly #logger: Logger;
  readonly #listeners: ErrorListener[] = [];
  /** When an error was logged last, by place and message, and how many like it have come since. */
  readonly #logged = new Map<string, { at: number; since: number }>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Has a function hear of every error. Its own errors are logged. */
  onError(listener: ErrorListener): void {
    this.#listeners.push(listener);
  }

  /** Logs an error and tells it to the listeners. Never throws. */
  report(error: unknown, place: ErrorPlace): void {
    this.#log(error, place);
    for (const listener of this.#listeners)
      callContained(
        () => listener(error, place),
        undefined,
        [],
        (cause) => this.#log(cause, { in: "a listener of service.onError()" }),
      );
  }

  /** Logs an error with its place. A client that causes the same error again and again must not fill the disk. */
  #log(error: unknown, place: ErrorPlace): void {
    const key = `${place.in} ${place.namespace} ${nameError(error)}`;
    const known = this.#logged.get(key);
    const now = Date.now();
    if (known && now - known.at < QUIET_TIME) {
      known.since++;
      return;
    }
    if (this.#logged.size >= MAX_REMEMBERED) this.#logged.clear();
    this.#logged.set(key, { at: now, since: 0 });
    const missed = known?.since ? `, and ${known.since} more like it before` : "";
    try {
      this.#logger.error(`Error in ${describePlace(place)}${missed}:`, error);
    } catch {
      // The author's own logger fails: there is nobody left to tell.
    }
  }
}

/** How many characters of an error tell it from others. A message may hold all that a client has sent. */
const NAME_LENGTH = 200;

/** Names an error. Anything can be thrown, also what cannot be made a string. */
function nameError(error: unknown): string {
  try {
    return String(error).slice(0, NAME_LENGTH);
  } catch {
    return typeof error;
  }
}

function describePlace({ in: where, namespace, socket, requestId }: ErrorPlace): string {
  const details = [
    namespace !== undefined && `namespace ${namespace}`,
    socket !== undefined && `socket ${socket}`,
    requestId !== undefined && `request ${requestId}`,
  ].filter(Boolean);
  return details.length > 0 ? `${where} (${details.join(", ")})` : where;
}

/**
 * Calls an author's function that decides by calling back.
 * @param fail is called if the function fails before it has decided, to decide in its place
 */
export function callDecider<Decision extends unknown[]>(
  call: (decide: (...decision: Decision) => void) => unknown,
  decide: (...decision: Decision) => void,
  { report, fail }: { report: (error: unknown) => void; fail: () => void },
): void {
  let hasDecided = false;
  const decideOnce = (...decision: Decision) => {
    hasDecided = true;
    decide(...decision);
  };
  const onError = (error: unknown) => {
    report(error);
    if (!hasDecided) fail();
  };
  callContained(() => call(decideOnce), undefined, [], onError);
}

/**
 * Calls an author's function, and catches what it throws or rejects with.
 * @returns what it has returned; undefined when it has thrown
 */
export function callContained(
  call: AuthorFunction,
  self: unknown,
  args: unknown[],
  onError: (error: unknown) => void,
): unknown {
  try {
    const result = call.apply(self, args);
    if (result instanceof Promise) result.catch(onError);
    return result;
  } catch (error) {
    onError(error);
    return undefined;
  }
}
