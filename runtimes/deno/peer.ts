/**
 * Deno's WebSocket as a peer of the engine.
 */
import { HIGH_WATER_MARK, type Peer, type PeerListener } from "../../src/engine/peer.ts";
import type { Topics } from "../../src/engine/topics.ts";

/** How often a peer that is full is looked at: Deno tells of no drain. In milliseconds; the pause doubles up to the last. */
const FIRST_LOOK = 4;
const LAST_LOOK = 256;

/** What Deno reports when the network fails, rather than the client's frames. */
const NETWORK_ERROR = /os error|EOF|closed/i;

export class DenoPeer implements Peer {
  readonly #socket: WebSocket;
  readonly #topics: Topics<Peer>;
  #listener: PeerListener | undefined;
  #isWatched = false;
  /** What was buffered when Deno was last asked, and what was sent since. */
  #atMost = 0;

  constructor(socket: WebSocket, topics: Topics<Peer>) {
    this.#socket = socket;
    this.#topics = topics;
  }

  /** Tells the engine's end of the connection what happens on this one. */
  listen(listener: PeerListener): void {
    this.#listener = listener;
    for (const type of ["message", "error", "close"]) this.#socket.addEventListener(type, this);
  }

  /** A listener for all events: a function for each would be kept as long as the connection. @internal */
  handleEvent(event: Event): void {
    if (event instanceof MessageEvent) return this.#listener?.received(event.data);
    if (event.type === "close") return this.#listener?.closed();
    const message = event instanceof ErrorEvent ? event.message : "";
    if (!NETWORK_ERROR.test(message)) this.#listener?.failed(new Error(message));
  }

  get bufferedAmount(): number {
    // Counting costs less than asking Deno, which is done when the count says that much may be waiting.
    if (this.#atMost >= HIGH_WATER_MARK) this.#atMost = this.#socket.bufferedAmount;
    return this.#atMost;
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(frame); // which minds the state: nothing is sent any more when the socket closes
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

  subscribe(topic: string): boolean {
    return this.#socket.readyState === WebSocket.OPEN && this.#topics.subscribe(topic, this);
  }

  unsubscribe(topic: string): void {
    this.#topics.unsubscribe(topic, this);
  }
}
