/**
 * Messages over WebSocket: echoes, broadcasts, and large ones.
 */
import { Buffer } from "node:buffer";
import { closeAll, listen, openSessions } from "../load/sessions.ts";
import { type Client, frame } from "../load/websocket.ts";
import { type Load, perOperation, type Scenario } from "../scenario.ts";
import { broadcastOf, event, isCeiling, openClient, text } from "./clients.ts";

/** Each client keeps so many messages under way. */
export class Echoes implements Load {
  operations = 0;
  readonly #clients: readonly Client[];
  readonly #message: Buffer;
  readonly #window: number;
  #isRunning = false;
  #pending = 0;
  #stopped: () => void = () => {};

  constructor(clients: readonly Client[], message: Buffer, window: number) {
    this.#clients = clients;
    this.#message = message;
    this.#window = window;
    const bursts = Array.from({ length: window + 1 }, (_, n) => Buffer.concat(Array(n).fill(message)));
    for (const client of clients) {
      let answered = 0;
      listen(client, () => answered++);
      client.onChunk = () => {
        if (answered === 0) return;
        this.operations += answered;
        if (this.#isRunning) client.send(bursts[answered] ?? Buffer.concat(Array(answered).fill(message)));
        else this.#pending -= answered;
        answered = 0;
        if (this.#pending === 0) this.#stopped();
      };
    }
  }

  start(): void {
    this.#isRunning = true;
    this.#pending = this.#clients.length * this.#window;
    for (const client of this.#clients) {
      for (let n = 0; n < this.#window; n++) client.send(this.#message);
    }
  }

  stop(): Promise<void> {
    this.#isRunning = false;
    return new Promise((resolve) => {
      this.#stopped = resolve;
    });
  }
}

const echo = (window: number): Scenario => ({
  name: `echo-${window}`,
  rows: [{ title: `echo of 64 B, 100 clients, ${window} in flight each`, unit: "µs" }],
  takes: () => true,
  async open(server) {
    const clients = await openSessions(100, () => openClient(server));
    const load = new Echoes(clients, frame(event("echo", text(64))), window);
    return perOperation(server, load, () => closeAll(clients));
  },
});

/** One client has something sent to everybody, with so many broadcasts under way. An operation is a delivery. */
class Broadcasts implements Load {
  operations = 0;
  readonly #caller: Client;
  readonly #message: Buffer;
  readonly #window: number;
  readonly #everybody: number;
  #isRunning = false;
  /** Broadcasts that are under way, and those that everybody has received. */
  #pending = 0;
  #complete = 0;
  #stopped: () => void = () => {};

  constructor(clients: readonly Client[], message: Buffer, window: number) {
    const [caller] = clients;
    if (!caller) throw new RangeError("A broadcast needs a client");
    this.#caller = caller;
    this.#message = message;
    this.#window = window;
    this.#everybody = clients.length;
    for (const client of clients) {
      listen(client, () => this.operations++);
      client.onChunk = () => this.#delivered();
    }
  }

  /** Has as many sent again as everybody has received by now. */
  #delivered(): void {
    const complete = Math.floor(this.operations / this.#everybody) - this.#complete;
    if (complete === 0) return;
    this.#complete += complete;
    this.#pending -= complete;
    if (this.#isRunning) this.#cast(complete);
    else if (this.#pending === 0) this.#stopped();
  }

  #cast(count: number): void {
    this.#pending += count;
    this.#caller.send(Buffer.concat(Array(count).fill(this.#message)));
  }

  start(): void {
    this.#isRunning = true;
    this.#cast(this.#window);
  }

  stop(): Promise<void> {
    this.#isRunning = false;
    return new Promise((resolve) => {
      this.#stopped = resolve;
    });
  }
}

const broadcast = (window: number): Scenario => ({
  name: `broadcast-${window}`,
  rows: [{ title: `broadcast of 64 B to 1,000 clients, ${window} in flight, a delivery`, unit: "µs" }],
  takes: () => true,
  async open(server) {
    const clients = await openSessions(1000, () => openClient(server));
    const load = new Broadcasts(clients, frame(broadcastOf(server.contender, text(64))), window);
    return perOperation(server, load, () => closeAll(clients));
  },
});

/** A binary event: the packet that announces it, and its attachment. */
const binaryEvent = (size: number) =>
  Buffer.concat([frame('451-["echo",{"_placeholder":true,"num":0}]'), frame(Buffer.alloc(size, 7))]);

const binary: Scenario = {
  name: "binary",
  rows: [{ title: "echo of 1 MB of binary, 4 clients", unit: "µs" }],
  takes: () => true,
  async open(server) {
    const clients = await openSessions(4, () => openClient(server));
    const isRaw = isCeiling(server.contender);
    const message = isRaw ? frame(Buffer.alloc(1_000_000, 7)) : binaryEvent(1_000_000);
    const load = new Echoes(clients, message, 1);
    // The announcement is not an answer.
    if (!isRaw) for (const client of clients) onlyBinary(client);
    return perOperation(server, load, () => closeAll(clients));
  },
};

function onlyBinary(client: Client): void {
  const { onMessage } = client;
  client.onMessage = (data, isBinary) => {
    if (isBinary || data.length === 1) onMessage(data, isBinary);
  };
}

export const messages = [echo(10), echo(1), broadcast(1), broadcast(10), binary];
