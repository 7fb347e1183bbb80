/**
 * Ends waits for clients that have stopped in the middle of something. All waits share a timer: starting one for each
 * would cost more than most of them need.
 */
import { clearInterval, setInterval } from "node:timers";

/** The timeout is divided into so many checks. */
const CHECKS = 4;

/** A wait for a client. */
export interface Wait {
  /** How often it was checked since the client has last been heard of. */
  silentChecks: number;
  /** Lets go of what the client has sent so far. Called when the wait is ended, for the client may stay connected. */
  giveUp?: () => void;
}

interface EndableWait extends Wait {
  readonly fail: (error: SilenceError) => void;
}

/** Why a wait was ended. */
export class SilenceError extends Error {
  override name = "SilenceError";
}

export class SilenceWatch {
  readonly #timeout: number;
  readonly #waits = new Set<EndableWait>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param timeout for how long a client may be silent, in milliseconds; 0 sets no limit */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /**
   * Waits for a result, as long as the client is not silent for too long.
   * @param begin begins to wait; whenever the client is heard of, `silentChecks` is to be set to 0
   * @throws {SilenceError} when the client is silent for longer than the timeout
   */
  waitFor<Result>(begin: (wait: Wait) => Promise<Result>): Promise<Result> {
    if (this.#timeout === 0) return begin({ silentChecks: 0 });
    this.#timer ??= setInterval(() => this.#check(), this.#timeout / CHECKS).unref();
    return new Promise((resolve, fail) => {
      const wait: EndableWait = { silentChecks: 0, fail };
      this.#waits.add(wait);
      void begin(wait)
        .then(resolve, fail)
        .finally(() => this.#waits.delete(wait));
    });
  }

  #check(): void {
    for (const wait of this.#waits) {
      if (++wait.silentChecks <= CHECKS) continue;
      this.#waits.delete(wait);
      wait.fail(new SilenceError("The client has sent nothing for too long"));
      wait.giveUp?.();
    }
    if (this.#waits.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
