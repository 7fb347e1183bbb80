/**
 * How a program is told to end: by a signal, by the end of the process that started it for somebody else, or by an
 * error that nobody has caught.
 */
import process from "node:process";
import { clearInterval, setInterval } from "node:timers";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Set for the processes that `--runtime` and `--reload` start. */
export const LAUNCHED = "HINOKO_LAUNCHED";

/** How often the parent is looked for, in milliseconds. */
const LOOK_INTERVAL = 1_000;

/** How long after the first signal a second one is taken for an echo of it under npm, in milliseconds. */
const ECHO = 250;

/** What is done at the first request to end, and at the next. */
export interface Ending {
  /** Ends gracefully, with this exit status. */
  readonly stop: (status: 0 | 1) => void;
  /** Ends at once. */
  readonly force: () => void;
  /** Logs an error that nobody has caught. Left out, such an error stays the runtime's. */
  readonly logError?: (error: unknown) => void;
}

/**
 * Waits for the requests to end this process. Whoever starts a program themselves (a shell, Docker, systemd) sends a
 * signal, and a second one to the impatient. npm (as its kin) has a shell in between, and ends that shell alone when it
 * is told to end: then the program has a new parent. In a terminal, Ctrl-C reaches the program and npm, which may pass
 * it on: that is one request.
 * @param parent `process.ppid` as it was when this process began
 * @returns a function that ends the wait
 */
export function awaitEnd(parent: number, { stop, force, logError }: Ending): () => void {
  const isLaunched = process.env[LAUNCHED] !== undefined;
  const isUnderNpm = process.env["npm_lifecycle_event"] !== undefined;
  let stopped: number | undefined;
  const stopOnce = (status: 0 | 1 = 0) => {
    if (stopped !== undefined) return;
    stopped = Date.now();
    stop(status);
  };

  // What the service calls is contained: such an error comes from a timer or a promise of the author's own, and may have
  // left the program half-way through something. So the program ends, but its clients are told, and come back.
  for (const event of logError ? (["uncaughtException", "unhandledRejection"] as const) : []) {
    process.on(event, (error: unknown) => {
      logError?.(error);
      stopOnce(1);
    });
  }

  const onSignal = () => {
    if (stopped === undefined) return stopOnce();
    // A launched process gets Ctrl-C from the terminal and from its launcher, and more from Deno's watcher: the launcher
    // counts, and kills.
    const isRepeated = !isLaunched && Date.now() - stopped >= (isUnderNpm ? ECHO : 0);
    if (isRepeated) force();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);

  const look = () => {
    if (process.ppid === parent) return;
    // A launcher stays until this process has ended, unless it has been told to end at once.
    if (isLaunched && stopped !== undefined) force();
    else stopOnce();
  };
  const timer = isLaunched || isUnderNpm ? setInterval(look, LOOK_INTERVAL) : undefined;
  timer?.unref();
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    clearInterval(timer);
  };
}
