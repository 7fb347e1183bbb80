/**
 * Logs that a server accepts no connections: once a minute at most, because whoever has brought that about can do it
 * again and again.
 */
import type { Logger } from "../src/settings.ts";

/** For how long it is not logged again, in milliseconds. */
const PAUSE = 60_000;

export class OutageLog {
  readonly #logger: Logger;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Logs the reason, unless one was logged within the last minute. */
  report(reason: string): void {
    const now = performance.now();
    if (now - this.#loggedAt < PAUSE) return;
    this.#loggedAt = now;
    this.#logger.error(`No connections are accepted at the moment: ${reason}`);
  }
}
