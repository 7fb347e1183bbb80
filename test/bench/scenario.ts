/**
 * What a scenario of the benchmark is.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Contender } from "./contenders.ts";
import type { ServerProcess } from "./server-process.ts";

/** A line of the table. */
export interface Row {
  readonly title: string;
  readonly unit: "µs" | "ms" | "KiB";
  /** What tells it from the other rows of its scenario. */
  readonly part?: string;
}

export interface Scenario {
  readonly name: string;
  /** What `measure()` of its trials tells. */
  readonly rows: readonly Row[];
  /** Whether each round needs a new process. @default false */
  readonly isFresh?: boolean;
  /** How many rounds it takes at the most. @default as many as the others */
  readonly rounds?: number;
  takes(contender: Contender): boolean;
  /** Prepares a server, and what is measured on it. */
  open(server: ServerProcess): Promise<Trial>;
}

export interface Trial {
  /** Puts the server under load for about so many milliseconds, and resolves with a figure for each row. */
  measure(duration: number): Promise<number[]>;
  /** Leaves the server. */
  close(): Promise<void>;
}

/**
 * A trial of CPU time per operation.
 * @param load keeps the server busy until it is stopped, and counts what was done
 */
export function perOperation(server: ServerProcess, load: Load, close: () => Promise<void>): Trial {
  return {
    async measure(duration) {
      await load.start();
      await sleep(duration * 0.2); // until what the start has sent at once is dispersed
      const [operations, time] = [load.operations, server.cpu()];
      await sleep(duration);
      const [done, used] = [load.operations - operations, server.cpu() - time];
      await load.stop();
      return [share(server, used, done)];
    },
    close,
  };
}

/**
 * The same for long operations: all of those that were begun are counted, from their begin to their end.
 */
export function perWholeOperation(server: ServerProcess, load: Load, close: () => Promise<void>): Trial {
  return {
    async measure(duration) {
      const [operations, time] = [load.operations, server.cpu()];
      await load.start();
      await sleep(duration);
      await load.stop();
      return [share(server, server.cpu() - time, load.operations - operations)];
    },
    close,
  };
}

function share(server: ServerProcess, used: number, operations: number): number {
  if (operations === 0) throw new Error(`${server.contender.name} did nothing`);
  return used / operations;
}

/** A load that can be started again after it was stopped. */
export interface Load {
  readonly operations: number;
  start(): void | Promise<void>;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}
