/**
 * A WebSocket in memory: the client's end, which engine.io-client uses like a browser's WebSocket, and the server's end,
 * a Peer. What one end sends, the other gets in a later turn of the event loop, in order, as over a network.
 */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import { HIGH_WATER_MARK, type Peer, type PeerListener, type Upgrade } from "../engine/peer.ts";
import { currentTurn, isCurrentTurn } from "../engine/turn.ts";

type Frame = string | Uint8Array;

/** The code of a connection that ended without a closing handshake (RFC 6455, 7.1.5). */
const LOST = 1006;
/** The code of a close frame that has none. */
const NO_STATUS = 1005;

/** Copies the bytes of a frame: over a network, sender and receiver share no memory. */
const copyFrame = (frame: Frame | ArrayBuffer): string | Uint8Array<ArrayBuffer> =>
  typeof frame === "string" ? frame : new Uint8Array(frame).slice();

/** One direction of a connection. It holds what was sent until the other end takes it. */
class Lane {
  /** How many bytes wait. */
  bytes = 0;
  #waiting: { readonly size: number; readonly deliver: () => void }[] = [];
  #isScheduled = false;
  #isPaused = false;
  readonly #drained: () => void;

  /** @param drained is called when less than HIGH_WATER_MARK bytes wait again, as the contract of a peer says */
  constructor(drained: () => void = () => {}) {
    this.#drained = drained;
  }

  /** Whether something waits that nobody will take soon. */
  get isStuck(): boolean {
    return this.#isPaused && this.#waiting.length > 0;
  }

  /** @param size in bytes @param deliver gives it to the other end */
  push(size: number, deliver: () => void): void {
    this.bytes += size;
    this.#waiting.push({ size, deliver });
    this.#schedule();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  /** Forgets what waits. */
  clear(): void {
    this.bytes = 0;
    this.#waiting = [];
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isPaused || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    // Not a microtask: two ends that answer each other for ever would let no timer run.
    setImmediate(() => this.#flush());
  }

  /** Delivers what waited when it was called. What the other end answers meanwhile has its turn later. */
  #flush(): void {
    this.#isScheduled = false;
    const wasFull = this.bytes >= HIGH_WATER_MARK;
    try {
      for (let left = this.#waiting.length; left > 0 && !this.#isPaused; left--) {
        const item = this.#waiting.shift();
        if (!item) break; // the connection was lost meanwhile
        this.bytes -= item.size;
        item.deliver();
      }
    } finally {
      this.#schedule(); // the rest, also when a listener has thrown
    }
    if (wasFull && this.bytes < HIGH_WATER_MARK) this.#drained();
  }
}

/** The server's end. */
class MemoryPeer implements Peer {
  readyState: Peer["readyState"] = 1;
  readonly raw = undefined;
  readonly #connection: MemoryWebSocket;
  readonly #lane: Lane;
  /** The turn of the event loop in which a frame was sent last. */
  #sentIn = -1;

  constructor(connection: MemoryWebSocket, lane: Lane) {
    this.#connection = connection;
    this.#lane = lane;
  }

  get bufferedAmount(): number {
    return this.#lane.bytes;
  }

  get isIdle(): boolean {
    return !isCurrentTurn(this.#sentIn) && !this.#lane.isStuck;
  }

  send(frame: Frame): void {
    if (this.readyState !== 1) return;
    this.#sentIn = currentTurn();
    this.#lane.push(Buffer.byteLength(frame), () => this.#connection.receive(copyFrame(frame)));
  }

  close(code = NO_STATUS, reason = ""): void {
    if (this.readyState !== 1) return;
    this.readyState = 2;
    this.#lane.push(0, () => this.#connection.receiveClose(code, reason));
  }

  terminate(): void {
    this.#connection.lose();
  }
}

/** The client's end: what engine.io-client needs of a WebSocket. */
export class MemoryWebSocket {
  binaryType = "nodebuffer";
  onopen: (() => void) | undefined;
  onmessage: ((event: { readonly data: string | Buffer | ArrayBuffer }) => void) | undefined;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | undefined;
  onerror: ((event: { readonly message: string }) => void) | undefined;
  #isClosed = false;
  #isClosing = false;
  #peer: MemoryPeer | undefined;
  #listener: PeerListener | undefined;
  readonly #toClient = new Lane(() => this.#listener?.drained());
  readonly #toServer = new Lane();

  /** Opens the connection. @param upgrade takes the server's end */
  accept(upgrade: Upgrade): void {
    if (this.#isClosed || this.#isClosing) return; // the client has given up during the handshake
    this.#peer = new MemoryPeer(this, this.#toClient);
    this.#toClient.push(0, () => this.onopen?.());
    this.#listener = upgrade.connect(this.#peer);
  }

  /** Ends the handshake without a connection. */
  refuse(message: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onerror?.({ message });
    this.onclose?.({ code: LOST, reason: "" });
  }

  send(frame: string | ArrayBuffer | Uint8Array): void {
    if (!this.#peer || this.#isClosing || this.#isClosed) return;
    const copy = copyFrame(frame);
    this.#toServer.push(Buffer.byteLength(copy), () => this.#listener?.received(copy));
  }

  /** Starts the closing handshake, behind the frames that were sent. */
  close(code = NO_STATUS, reason = ""): void {
    if (this.#isClosing || this.#isClosed) return;
    this.#isClosing = true;
    if (!this.#peer) return;
    this.#toServer.push(0, () => {
      this.#endPeer(code, reason);
      this.#toClient.push(0, () => this.#end(code, reason));
    });
  }

  /** Has the connection end without a word: both ends find out in a later turn. */
  lose(): void {
    if (this.#isClosed) return;
    this.#isClosing = true;
    for (const lane of [this.#toClient, this.#toServer]) lane.clear();
    setImmediate(() => {
      this.#endPeer(LOST, "");
      this.#end(LOST, "");
    });
  }

  /** Stops to read: what the server sends waits at its end. */
  pause(): void {
    this.#toClient.pause();
  }

  resume(): void {
    this.#toClient.resume();
  }

  /** Takes a frame of the server's, which is the client's own from now on. */
  receive(frame: string | Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed) return;
    if (typeof frame === "string") this.onmessage?.({ data: frame });
    else
      this.onmessage?.({ data: this.binaryType === "nodebuffer" ? Buffer.from(frame.buffer) : frame.buffer });
  }

  /** Takes the close frame of the server's, and answers it. */
  receiveClose(code: number, reason: string): void {
    if (!this.#isClosing) this.#toServer.push(0, () => this.#endPeer(code, reason));
    this.#isClosing = true;
    this.#end(code, reason);
  }

  #endPeer(code: number, reason: string): void {
    if (!this.#peer || this.#peer.readyState === 3) return;
    this.#peer.readyState = 3;
    this.#listener?.closed(code, reason);
  }

  #end(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onclose?.({ code, reason });
  }
}
