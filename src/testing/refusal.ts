/**
 * The error with which a refused connection rejects, and the clock of every wait.
 */
import { clearTimeout, setTimeout } from "node:timers";

/** What is known of a refusal. */
export interface Refusal {
  /** The HTTP status, if the handshake or the polling request was refused: by the guards, a middleware, the engine. */
  readonly status?: number | undefined;
  /** The body of that answer: parsed if it is JSON, else the text. */
  readonly body?: unknown;
  /** The `data` of the error with which `io.use()`, or the middleware of a namespace, has refused the client. */
  readonly data?: unknown;
}

/** A connection that the service has refused, or that failed. */
export class ConnectError extends Error implements Refusal {
  override name = "ConnectError";
  readonly status: number | undefined;
  readonly body: unknown;
  readonly data: unknown;

  constructor(message: string, { status, body, data }: Refusal, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.body = body;
    this.data = data;
  }
}

/** Reads the answer to a request that was refused. */
export function readRefusal(status: number, type: string | null | undefined, body: string): Refusal {
  if (!type?.startsWith("application/json")) return { status, body };
  try {
    return { status, body: JSON.parse(body) };
  } catch {
    return { status, body };
  }
}

/**
 * Resolves or rejects as the promise does, and rejects when it takes longer than `milliseconds`. The error is made here,
 * not in the timer, so that its stack leads to the line of the test.
 * @param describe says what was waited for, and what came instead
 */
export async function inTime<T>(
  promise: Promise<T>,
  milliseconds: number,
  describe: () => string,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isOver = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  const outcome = promise.then((value) => ({ value }));
  const first = await Promise.race([outcome, isOver]).finally(() => clearTimeout(timer));
  if (!first) throw new Error(describe());
  return first.value;
}
