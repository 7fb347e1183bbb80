/**
 * Latencies of HTTP requests that are made at a steady pace. They are measured by a thread of their own: in that of the
 * load generator an answer would wait for whatever else it is receiving.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Endpoint } from "./websocket.ts";

export interface Probe extends Endpoint {
  /** Requests a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** @returns the latency of each request, in milliseconds */
export async function latencies({ hostname, port, rate, duration }: Probe): Promise<number[]> {
  const workerData: Probe = { hostname, port, rate, duration };
  const [message]: unknown[] = await once(
    new Worker(new URL("./latency-thread.js", import.meta.url), { workerData }),
    "message",
  );
  if (!(message instanceof Float64Array)) throw new TypeError("The thread has answered something else");
  return [...message];
}

/** Calls something at a steady rate a second; what is late is made up for. */
export async function pace(rate: number, duration: number, call: () => void): Promise<void> {
  const start = performance.now();
  for (let called = 0; ; ) {
    const elapsed = performance.now() - start;
    if (elapsed >= duration) return;
    for (const due = Math.floor((elapsed / 1000) * rate); called < due; called++) call();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Resolves when what was sent has been answered; gives up after 30 seconds. */
export async function until(isDone: () => boolean): Promise<void> {
  const start = performance.now();
  while (!isDone()) {
    if (performance.now() - start > 30_000) throw new Error("it has not answered everything after 30 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
