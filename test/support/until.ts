/**
 * Waiting with a bound: what does not come is an error that names it, before the runner knows only that a test took long.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** How long one thing is waited for, in milliseconds: less than a test may take, so that it can clean up. */
export const PATIENCE = 25_000;

const disappointment = (what: string) => new Error(`Waited ${PATIENCE / 1000} seconds in vain for ${what}`);

/**
 * Resolves with what a promise resolves with, when that comes in time.
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
 * Asks again and again until a condition holds. For what has no event: otherwise wait for the event.
 * @param what is waited for, as a noun: "the end of all sessions"
 */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await condition())) {
    if (performance.now() > deadline) throw disappointment(what);
    await sleep(5);
  }
}
