/**
 * The line of one client to the service: everything that it sends goes through it, so a test can cut it, or have the
 * client stop reading.
 */
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { Network } from "./network.ts";
import { type Refusal, readRefusal } from "./refusal.ts";
import { MemoryWebSocket } from "./websocket.ts";

/** A WebSocket of socket.io-client's own, on a port: one of ws, as far as a line deals with it. */
export interface OwnWebSocket {
  terminate(): void;
  /** Is told the answer to a handshake that was refused. With a listener, ws leaves the rest to it. */
  on(event: "unexpected-response", listener: (request: object, response: IncomingMessage) => void): unknown;
}

/** What a client sends with each request and handshake. */
export interface Sender {
  readonly headers: Headers;
  readonly address: string | undefined;
}

/** The header fields of a WebSocket handshake (RFC 6455, 4.2.1). In memory nobody looks what the key is. */
const HANDSHAKE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

export class Line {
  /** The answer to the last request that was refused. */
  refusal: Promise<Refusal> | undefined;
  isStalled = false;
  readonly #network: Network;
  readonly #sender: Sender;
  /** The WebSocket that was opened last. A client has one at most; one that it has left before is closed. */
  #socket: MemoryWebSocket | OwnWebSocket | undefined;
  readonly #requests = new Set<AbortController>();
  /** What a client on polling does when it reads again, and what it does if the line is cut before. */
  #held: { readonly act: () => void; readonly giveUp: () => void }[] = [];

  constructor(network: Network, sender: Sender) {
    this.#network = network;
    this.#sender = sender;
  }

  get isInMemory(): boolean {
    return this.#network.isInMemory;
  }

  get headers(): Record<string, string> {
    return Object.fromEntries(this.#sender.headers);
  }

  /** Makes a polling request. @param body of a POST; undefined for a poll */
  async request(url: string, body: string | undefined): Promise<Response> {
    const headers = new Headers(this.#sender.headers);
    if (body !== undefined) headers.set("content-type", "text/plain;charset=UTF-8");
    const controller = new AbortController();
    const { signal } = controller;
    const init = { headers, signal, ...(body !== undefined && { method: "POST", body }) };
    this.#requests.add(controller);
    try {
      const answer = await this.#network.fetch(new Request(url, init), this.#sender.address);
      signal.throwIfAborted();
      if (!answer.ok) this.#noteRefusal(answer.clone());
      return answer;
    } finally {
      this.#requests.delete(controller);
    }
  }

  /** Makes a WebSocket handshake in memory. @returns undefined on a port */
  openWebSocket(url: string): MemoryWebSocket | undefined {
    const headers = new Headers(this.#sender.headers);
    for (const [name, value] of Object.entries(HANDSHAKE)) headers.set(name, value);
    const handshake = new Request(url.replace(/^ws/, "http"), { headers });
    const socket = this.#network.openWebSocket(handshake, this.#sender.address, (answer) =>
      this.#noteRefusal(answer),
    );
    if (this.isStalled) socket?.pause();
    this.#socket = socket;
    return socket;
  }

  /** Takes a WebSocket of socket.io-client's own. @param refused is called when its handshake was refused */
  keepWebSocket(socket: OwnWebSocket, refused: (status: number) => void): void {
    this.#socket = socket;
    socket.on("unexpected-response", (_, response) => {
      const { statusCode: status = 0, headers } = response;
      this.refusal = text(response).then((body) => readRefusal(status, headers["content-type"], body));
      const finish = () => refused(status);
      void this.refusal.then(finish, finish);
    });
  }

  /** Does something that a client on polling does only while it reads. @param giveUp called if the line is cut before */
  whenReading(act: () => void, giveUp: () => void): void {
    if (this.isStalled) this.#held.push({ act, giveUp });
    else act();
  }

  /** Cuts the line without a word: requests under way are aborted, and a WebSocket ends without a close frame. */
  cut(): void {
    const socket = this.#socket;
    if (socket instanceof MemoryWebSocket) socket.lose();
    else socket?.terminate();
    for (const request of this.#requests) request.abort();
    for (const { giveUp } of this.#held.splice(0)) giveUp();
  }

  /** Stops to read. @throws {TypeError} for a WebSocket on a port, which reads by itself */
  stall(): void {
    this.#readable()?.pause();
    this.isStalled = true;
  }

  /** Reads again. */
  resume(): void {
    this.isStalled = false;
    this.#readable()?.resume();
    for (const { act } of this.#held.splice(0)) act();
  }

  #readable(): MemoryWebSocket | undefined {
    const socket = this.#socket;
    if (!socket || socket instanceof MemoryWebSocket) return socket;
    throw new TypeError("A WebSocket on a port cannot be stalled: use the service in memory, or polling");
  }

  #noteRefusal(answer: Response): void {
    const { status, headers } = answer;
    this.refusal = answer.text().then((body) => readRefusal(status, headers.get("content-type"), body));
  }
}
