/**
 * Bun's WebSocket as a peer. Bun calls one set of handlers for all WebSockets (see listen.ts), so each WebSocket
 * carries its peer as its `data`, and the handlers call that.
 */
import {
  CloseCode,
  HIGH_WATER_MARK,
  type Peer,
  type PeerListener,
  type Upgrade,
} from "../../src/engine/peer.ts";
import { currentTurn, isCurrentTurn } from "../../src/engine/turn.ts";

type BunSocket = Bun.ServerWebSocket<BunPeer>;

/** What Bun's `send()` returns for a frame that it could not write at once. */
const BUFFERED = -1;

/**
 * Matches the reason of a close with which Bun says that the client violated the protocol. Bun has sent the client a
 * close frame by then. "Received TCP FIN" only means that the client left.
 */
const VIOLATION = /^Received (?!TCP FIN)/;

/**
 * Returns what the client did wrong, in the words of ws, or undefined if its WebSocket was closed for another reason.
 */
function violationOf(reason: string): string | undefined {
  if (!VIOLATION.test(reason)) return undefined;
  return reason === "Received too big message" ? "Max payload size exceeded" : reason;
}

/** A topic of Bun's to which peers subscribe. */
export interface Topic {
  readonly name: string;
  /** The turn of the event loop in which a frame was published last. */
  readonly publishedIn: number;
}

export class BunPeer implements Peer {
  /** Who gets the WebSocket; undefined as soon as they have it. */
  #upgrade: Upgrade | undefined;
  #socket: BunSocket | undefined;
  #listener: PeerListener | undefined;
  /** The end that came before there was a listener. */
  #earlyEnd: [code: number, reason: string] | undefined;
  /** The topics to which this peer has subscribed. Undefined until it subscribes to one. */
  #topics: Set<Topic> | undefined;
  /** A turn of the event loop in which a frame was sent. */
  #sentIn = -1;
  /**
   * Whether Bun may have buffered a frame: `send()` said so, or it was published to a topic, of which this peer is not
   * told.
   */
  #mayBuffer = false;

  constructor(upgrade: Upgrade) {
    this.#upgrade = upgrade;
  }

  /** Called by Bun when it has made the handshake. */
  opened(socket: BunSocket): void {
    this.#socket = socket;
    this.#listener = this.#upgrade?.connect(this);
    this.#upgrade = undefined;
    if (this.#earlyEnd) this.closed(...this.#earlyEnd);
  }

  received(message: string | Buffer<ArrayBuffer>): void {
    this.#listener?.received(message);
  }

  /** Called by Bun when some of what it has buffered has left. */
  drained(): void {
    if (this.bufferedAmount < HIGH_WATER_MARK) this.#listener?.drained();
  }

  /** Called by Bun, inside of `close()` if the server closes: also while `connect()` has not returned the listener. */
  closed(code: number, reason: string): void {
    if (!this.#listener) {
      this.#earlyEnd = [code, reason];
      return;
    }
    const violation = violationOf(reason);
    if (violation) this.#listener.failed(new Error(violation));
    this.#listener.closed(code, reason);
  }

  get raw(): unknown {
    return this.#socket;
  }

  get readyState(): Peer["readyState"] {
    return this.#socket?.readyState ?? 0;
  }

  get bufferedAmount(): number {
    // Asking Bun costs an eighth of a send, so it is asked only when something may be buffered.
    if (!this.#mayBuffer) return 0;
    const amount = this.#socket?.getBufferedAmount() ?? 0;
    if (amount === 0 && !this.#topics?.size) this.#mayBuffer = false;
    return amount;
  }

  get isIdle(): boolean {
    if (isCurrentTurn(this.#sentIn)) return false;
    for (const { publishedIn } of this.#topics ?? []) if (isCurrentTurn(publishedIn)) return false;
    return this.bufferedAmount === 0;
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.#sentIn = currentTurn();
    if (this.#socket?.send(frame) === BUFFERED) this.#mayBuffer = true;
  }

  /** Without a code the client sees 1005, as with engine.io; Bun's own default would be 1000. */
  close(code: number = CloseCode.NO_STATUS, reason?: string): void {
    this.#socket?.close(code, reason);
  }

  terminate(): void {
    this.#socket?.terminate();
  }

  /** @returns false if the peer subscribes already, or is closed */
  subscribe(topic: Topic): boolean {
    const socket = this.#socket;
    if (!socket || this.#topics?.has(topic) || !socket.subscribe(topic.name)) return false;
    this.#mayBuffer = true;
    this.#topics ??= new Set();
    this.#topics.add(topic);
    return true;
  }

  unsubscribe(topic: Topic): void {
    if (!this.#topics?.delete(topic)) return;
    this.#socket?.unsubscribe(topic.name);
    // The topic cannot be asked any more, but this peer was sent what was published in this turn.
    if (isCurrentTurn(topic.publishedIn)) this.#sentIn = topic.publishedIn;
  }
}
