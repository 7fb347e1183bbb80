/**
 * A contender as a process of its own, pinned to one core, and what the operating system accounts for it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Contender } from "./contenders.ts";
import type { Endpoint } from "./load/websocket.ts";

/** The core of the server; the load generator has the other. */
const CORE = "0";

/** How long a server may take to listen, in milliseconds. */
const PATIENCE = 20_000;

export class ServerProcess implements Endpoint {
  readonly contender: Contender;
  readonly hostname = "127.0.0.1";
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #pid: number;

  private constructor(contender: Contender, child: ChildProcess, pid: number, port: number) {
    this.contender = contender;
    this.port = port;
    this.#child = child;
    this.#pid = pid;
  }

  /** Starts a contender, and resolves when it listens. */
  static async start(contender: Contender): Promise<ServerProcess> {
    const child = spawn("taskset", ["-c", CORE, ...contender.command], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE_ENV: "production", ALLOWED_HOSTS: "127.0.0.1", ...contender.env },
    });
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
    throw new Error(`${contender.name} did not start: ${contender.command.join(" ")}`);
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

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}
