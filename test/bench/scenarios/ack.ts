/**
 * Acknowledgements: how long a client waits for an answer, from a server that is far from busy.
 */
import { pace, until } from "../load/latency.ts";
import { closeAll, listen, openSessions } from "../load/sessions.ts";
import { type Client, frame } from "../load/websocket.ts";
import type { Row, Scenario } from "../scenario.ts";
import { percentiles } from "../statistics.ts";
import { event, openClient, text } from "./clients.ts";

const RATE = 2000;

/** Questions that can be under way at once: those of five seconds. */
const IDS = 5 * RATE;

const questions = Array.from({ length: IDS }, (_, id) => frame(event("ask", text(64), id)));

class Asks {
  readonly #clients: readonly Client[];
  readonly #starts = new Float64Array(IDS);
  #asked = 0;
  #times: number[] = [];

  constructor(clients: readonly Client[]) {
    this.#clients = clients;
    for (const client of clients) listen(client, (data) => this.#answered(idOf(data)));
  }

  /** @returns how long each answer took, in milliseconds */
  async run(duration: number): Promise<number[]> {
    this.#asked = 0;
    this.#times = [];
    await pace(RATE, duration, () => this.#ask());
    await until(() => this.#times.length === this.#asked);
    return this.#times;
  }

  #ask(): void {
    const id = this.#asked % IDS;
    const question = questions[id];
    if (!question) return;
    this.#starts[id] = performance.now();
    this.#clients[this.#asked++ % this.#clients.length]?.send(question);
  }

  #answered(id: number): void {
    this.#times.push(performance.now() - (this.#starts[id] ?? Number.NaN));
  }
}

/** The id behind "43", or behind "42" as a ceiling sends the question back. */
function idOf(data: Buffer): number {
  let id = 0;
  for (let at = 2, digit = 0; (digit = (data[at] ?? 0) - 48) >= 0 && digit <= 9; at++) id = id * 10 + digit;
  return id;
}

const title = (what: string) => `acknowledgement of 64 B, 100 clients, 2,000 a second: ${what}`;
const rows: Row[] = [
  { part: "p50", title: title("latency p50"), unit: "ms" },
  { part: "p99", title: title("latency p99"), unit: "ms" },
  { part: "CPU", title: title("CPU"), unit: "µs" },
];

export const ack: Scenario = {
  name: "ack",
  rows,
  takes: () => true,
  async open(server) {
    const clients = await openSessions(100, () => openClient(server));
    const asks = new Asks(clients);
    return {
      async measure(duration) {
        const time = server.cpu();
        const times = await asks.run(duration);
        return [...percentiles(times, [0.5, 0.99]), (server.cpu() - time) / times.length];
      },
      close: () => closeAll(clients),
    };
  },
};
