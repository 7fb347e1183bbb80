/**
 * The thread that measures the latencies of HTTP requests.
 */
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { HttpClient, request } from "./http.ts";
import { type Probe, pace } from "./latency.ts";

const probe: Probe = workerData;
const message = request(probe, "GET", "/");

/** Connections that have no request under way. Servers that fall behind get more of them. */
const idle = Array.from({ length: 20 }, () => new HttpClient(probe));
const under = new Set<Promise<void>>();
const times: number[] = [];

async function ask(): Promise<void> {
  const client = idle.pop() ?? new HttpClient(probe);
  const start = performance.now();
  await client.ask(message);
  times.push(performance.now() - start);
  idle.push(client);
}

const askInPassing = () => {
  const asked: Promise<void> = ask().finally(() => under.delete(asked));
  under.add(asked);
};

try {
  setPriority(-10); // of this thread: what it waits for is to be the server, not the load generator
} catch {
  // Only root may.
}
for (let n = 0; n < 100; n++) await Promise.all(Array.from({ length: 5 }, ask)); // compiles this, too
times.length = 0;
await pace(probe.rate, probe.duration, askInPassing);
await Promise.all(under);
for (const client of idle) client.close();
const all = Float64Array.from(times);
parentPort?.postMessage(all, [all.buffer]);
