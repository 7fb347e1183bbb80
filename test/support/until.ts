/**
 * Waits with a time limit. The error names what did not happen, where the limit of the test runner would only say that
 * the test took too long.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** The time limit in milliseconds. It is shorter than that of a test, so that the test can still clean up. */
export const PATIENCE = 25_000;

const disappointment = (what: string) =>
  new Error(`Timed out after ${PATIENCE / 1000} seconds of waiting for ${what}`);

/**
 * Resolves or rejects as the promise does, and rejects when the promise takes too long.
 * @param what is waited for, as a noun: "a frame from the server"
 */
export async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const impatience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(disappointment(what)), PATIENCE);
  });
  return Promise.race([promise, impatience]).finally(() => clearTimeout(timer));
}

/**
 * Checks a condition every few milliseconds until it holds. Where there is an event, wait for the event instead.
 * @param what is waited for, as a noun: "the end of all sessions"
 */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await condition())) {
    if (performance.now() > deadline) throw disappointment(what);
    await sleep(5);
  }
}
