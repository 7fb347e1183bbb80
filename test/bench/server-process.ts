/**
 * A contender as a process of its own, pinned to one core, and what the operating system accounts for it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Contender } from "./contenders.ts";
import type { Endpoint } from "./load/websocket.ts";

/** The core of the server; the load generator has the other. */
const CORE = "0";

/** How long a server may take to listen, in milliseconds. */
const PATIENCE = 20_000;

/** Those that run: the benchmark leaves none behind, however it ends. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class ServerProcess implements Endpoint {
  readonly contender: Contender;
  readonly hostname = "127.0.0.1";
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #pid: number;
  readonly #exit: Promise<unknown>;

  private constructor(contender: Contender, child: ChildProcess, pid: number, port: number) {
    this.contender = contender;
    this.port = port;
    this.#child = child;
    this.#pid = pid;
    this.#exit = once(child, "exit");
  }

  /** Starts a contender, and resolves when it listens. */
  static async start(contender: Contender): Promise<ServerProcess> {
    const child = spawn("taskset", ["-c", CORE, ...contender.command], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE_ENV: "production", ALLOWED_HOSTS: "127.0.0.1", ...contender.env },
    });
    running.add(child);
    child.once("exit", () => running.delete(child));
    child.once("error", () => running.delete(child)); // what it prints ends then, too
    const lines = createInterface({ input: child.stdout });
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
    for await (const text of lines) {
      const port = /^listening on (\d+)$/.exec(text)?.[1];
      if (port === undefined || child.pid === undefined) continue;
      clearTimeout(timer);
      lines.close();
      child.stdout.resume();
      return new ServerProcess(contender, child, child.pid, Number(port));
    }
    clearTimeout(timer);
    throw new Error(`it did not start, or not within ${PATIENCE / 1000} s: ${contender.command.join(" ")}`);
  }

  /** The CPU time that its threads have used, in microseconds. */
  cpu(): number {
    let sum = 0;
    for (const thread of readdirSync(`/proc/${this.#pid}/task`)) {
      try {
        const [time] = readFileSync(`/proc/${this.#pid}/task/${thread}/schedstat`, "latin1").split(" ");
        sum += Number(time) / 1000;
      } catch {
        // The thread has ended meanwhile.
      }
    }
    return sum;
  }

  /** The memory that it has in use, in KiB. */
  memory(): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, "latin1");
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  }

  /** Rejects when the server ends before some work is done, or the work takes longer than so many milliseconds. */
  async whileAlive<T>(work: Promise<T>, patience: number): Promise<T> {
    const done = new AbortController();
    const { signal } = done;
    const late = sleep(patience, undefined, { signal }).then(() => {
      throw new Error(`it was not done within ${patience / 1000} s`);
    });
    const ended = this.#exit.then(() => {
      throw new Error("its server has ended");
    });
    try {
      return await Promise.race([work, late, ended]);
    } finally {
      for (const other of [work, late, ended]) other.catch(() => {});
      done.abort();
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await this.#exit;
  }
}
