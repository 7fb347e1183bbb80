/**
 * A load of workers that each do one operation after the other.
 */
import type { Load } from "../scenario.ts";

export interface Worker {
  /** Does one operation. */
  work(): Promise<unknown>;
  close(): unknown;
}

export class Workers implements Load {
  operations = 0;
  readonly #count: number;
  readonly #hire: () => Promise<Worker>;
  #isRunning = false;
  #workers: Worker[] = [];
  #done: Promise<unknown> = Promise.resolve();

  /** @param hire is called anew at each start: servers close connections that are idle between two rounds */
  constructor(count: number, hire: () => Promise<Worker>) {
    this.#count = count;
    this.#hire = hire;
  }

  async start(): Promise<void> {
    this.#workers = await Promise.all(Array.from({ length: this.#count }, this.#hire));
    this.#isRunning = true;
    this.#done = Promise.all(this.#workers.map((worker) => this.#run(worker)));
    this.#done.catch(() => {}); // stop() tells
  }

  async #run(worker: Worker): Promise<void> {
    while (this.#isRunning) {
      await worker.work();
      this.operations++;
    }
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#done;
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }
}
