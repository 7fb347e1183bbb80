/**
 * Deno's WebSocket as a peer of the engine.
 */
import { HIGH_WATER_MARK, type Peer, type PeerListener } from "../../src/engine/peer.ts";

/** Deno tells of no drain, so a full peer is looked at: after the first pause, in milliseconds, which doubles up to the last. */
const FIRST_LOOK = 4;
const LAST_LOOK = 256;

/** What Deno reports when the network fails, rather than the client's frames. */
const NETWORK_ERROR = /os error|EOF|closed/i;

export class DenoPeer implements Peer {
  readonly #socket: WebSocket;
  #listener: PeerListener | undefined;
  #isWatched = false;
  /** What was buffered when Deno was last asked, and what was sent since. */
  #atMost = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Tells the engine's end of the connection what happens on this one. */
  listen(listener: PeerListener): void {
    this.#listener = listener;
    for (const type of ["message", "error", "close"]) this.#socket.addEventListener(type, this);
  }

  /** One listener for all events: a function for each would take memory as long as the connection lasts. @internal */
  handleEvent(event: Event): void {
    if (event instanceof MessageEvent) return this.#listener?.received(event.data);
    if (event instanceof CloseEvent) return this.#listener?.closed(event.code, event.reason);
    const message = event instanceof ErrorEvent ? event.message : "";
    if (!NETWORK_ERROR.test(message)) this.#listener?.failed(new Error(message));
  }

  get raw(): WebSocket {
    return this.#socket;
  }

  get readyState(): Peer["readyState"] {
    const { readyState } = this.#socket;
    return readyState === 0 || readyState === 1 || readyState === 2 ? readyState : 3;
  }

  get bufferedAmount(): number {
    // Counting costs less than asking Deno, so Deno is asked only when the count says that much may be waiting.
    if (this.#atMost >= HIGH_WATER_MARK) this.#atMost = this.#socket.bufferedAmount;
    return this.#atMost;
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(frame); // does nothing any more when the socket closes
    this.#atMost += frame.length;
    if (!this.#isWatched && this.bufferedAmount >= HIGH_WATER_MARK) this.#watch(FIRST_LOOK);
  }

  #watch(pause: number): void {
    this.#isWatched = true;
    setTimeout(() => {
      if (this.#socket.readyState !== WebSocket.OPEN) return;
      if (this.bufferedAmount >= HIGH_WATER_MARK) return this.#watch(Math.min(pause * 2, LAST_LOOK));
      this.#isWatched = false;
      this.#listener?.drained();
    }, pause);
  }

  close(code?: number, reason?: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close(code, reason);
  }
}
