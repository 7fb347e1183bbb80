/**
 * Bun's WebSocket as a peer. It is the data that the WebSocket carries in Bun, which calls one handler for all.
 */
import type { Members } from "../../src/engine/channel.ts";
import {
  CloseCode,
  HIGH_WATER_MARK,
  type Peer,
  type PeerListener,
  type Upgrade,
} from "../../src/engine/peer.ts";

export type BunSocket = Bun.ServerWebSocket<BunPeer>;

/** What Bun's `send()` answers for a frame that it could not write at once. */
const BUFFERED = -1;

/** How Bun says, in the reason of a close, that the client violated the protocol. It has told the client already. */
const VIOLATION = /^Received (?!TCP FIN)/;

/** What the client did wrong, in ws's words, if its WebSocket was closed for that. */
function violationOf(reason: string): string | undefined {
  if (!VIOLATION.test(reason)) return undefined;
  return reason === "Received too big message" ? "Max payload size exceeded" : reason;
}

export class BunPeer implements Peer {
  /** Until the WebSocket is there. */
  #upgrade: Upgrade | undefined;
  #socket: BunSocket | undefined;
  #listener: PeerListener | undefined;
  #topics = 0;
  /** A frame was buffered when it was last sent, or may have been published without this peer's knowing. */
  #mayBuffer = false;

  constructor(upgrade: Upgrade) {
    this.#upgrade = upgrade;
  }

  /** Bun has made the handshake. */
  opened(socket: BunSocket): void {
    this.#socket = socket;
    this.#listener = this.#upgrade?.connect(this);
    this.#upgrade = undefined;
  }

  received(message: string | Buffer<ArrayBuffer>): void {
    this.#listener?.received(message);
  }

  /** What was sent has left, or some of it. */
  drained(): void {
    if (this.bufferedAmount < HIGH_WATER_MARK) this.#listener?.drained();
  }

  closed(code: number, reason: string): void {
    const violation = violationOf(reason);
    if (violation) this.#listener?.failed(new Error(violation));
    this.#listener?.closed(code, reason);
  }

  get raw(): unknown {
    return this.#socket;
  }

  get readyState(): Peer["readyState"] {
    return this.#socket?.readyState ?? 0;
  }

  get bufferedAmount(): number {
    // Asking Bun takes an eighth of what a send takes.
    if (!this.#mayBuffer) return 0;
    const amount = this.#socket?.getBufferedAmount() ?? 0;
    if (amount === 0 && this.#topics === 0) this.#mayBuffer = false;
    return amount;
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.send(frame) === BUFFERED) this.#mayBuffer = true;
  }

  /** Without a code the client sees 1005, as with engine.io; Bun's own default is 1000. */
  close(code: number = CloseCode.NO_STATUS, reason?: string): void {
    this.#socket?.close(code, reason);
  }

  terminate(): void {
    this.#socket?.terminate();
  }

  /** @returns false when it subscribes already, or is closed */
  subscribe(topic: string): boolean {
    const socket = this.#socket;
    if (!socket || socket.isSubscribed(topic) || !socket.subscribe(topic)) return false;
    this.#mayBuffer = true;
    this.#topics++;
    return true;
  }

  unsubscribe(topic: string): void {
    if (this.#socket?.unsubscribe(topic)) this.#topics--;
  }
}

/** Sends what is published on a topic of Bun's. @returns whether all of its subscribers keep up */
export type Publish = (topic: string, frame: string | Uint8Array) => boolean;

let count = 0;

/** The members of a channel, as subscribers of a topic of Bun's. */
export class BunTopic implements Members<Peer> {
  /** A name that no author's WebSocket route takes. */
  readonly #name = `hinoko:${++count}`;
  readonly #publish: Publish;

  constructor(publish: Publish) {
    this.#publish = publish;
  }

  add(peer: Peer): boolean {
    return peer instanceof BunPeer && peer.subscribe(this.#name);
  }

  delete(peer: Peer): void {
    if (peer instanceof BunPeer) peer.unsubscribe(this.#name);
  }

  send(frame: string | Uint8Array): boolean {
    return this.#publish(this.#name, frame);
  }
}
