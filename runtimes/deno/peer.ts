/**
 * Deno's WebSocket as a peer.
 */
import { CloseCode, HIGH_WATER_MARK, type Peer, type PeerListener } from "../../src/engine/peer.ts";
import { Arrivals } from "./arrivals.ts";
import { countFrame, type Sharer, waitForTurn } from "./sharing.ts";

/**
 * Deno has no event for a WebSocket that has drained, so a full peer asks for the buffered amount again and again:
 * first after FIRST_PAUSE milliseconds, then after twice as long each time, up to LONGEST_PAUSE.
 */
const FIRST_PAUSE = 4;
const LONGEST_PAUSE = 256;

/**
 * Deno cannot stop reading one WebSocket. So a client that is further ahead of the server than this is disconnected:
 * by so many bytes that wait, or by so many frames in one turn, which Deno has read at one go and passes on without a
 * break (about 0.3 seconds).
 */
const MAX_WAITING = 32 * 1024 * 1024;
const MAX_FRAMES = 131_072;
const FLOODED = "Messages come in faster than they can be handled";

/**
 * Matches the messages of Deno's errors that mean a failed network, and not a violation of the protocol by the client.
 */
const NETWORK_ERROR = /os error|EOF|closed/i;

export class DenoPeer implements Peer, Sharer {
  turn = 0;
  frames = 0;
  readonly #socket: WebSocket;
  #listener: PeerListener | undefined;
  #isAwaitingDrain = false;
  /** The amount that was buffered when Deno was last asked, plus all that was sent since: an upper bound. */
  #mostBuffered = 0;
  /** What has come in and waits for its turn. */
  #waiting: Arrivals | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Tells the listener what happens on this WebSocket. */
  attachListener(listener: PeerListener): void {
    this.#listener = listener;
    for (const type of ["message", "error", "close"]) this.#socket.addEventListener(type, this);
  }

  /**
   * This peer is its own listener for all events. A closure for each would take memory for as long as it lasts.
   * @internal
   */
  handleEvent(event: Event): void {
    if (this.#waiting) return this.#postpone(event, this.#waiting);
    if (!(event instanceof MessageEvent)) return this.#handleEnd(event);
    if (countFrame(this)) return this.#listener?.received(event.data);
    this.#waiting = new Arrivals();
    this.#postpone(event, this.#waiting);
    waitForTurn(this);
  }

  #postpone(event: Event, waiting: Arrivals): void {
    if (event instanceof MessageEvent) {
      countFrame(this);
      if (waiting.size > MAX_WAITING || this.frames > MAX_FRAMES) return this.#endFlood();
      waiting.add(event.data);
    } else if (event instanceof ErrorEvent || event instanceof CloseEvent) waiting.add(event);
  }

  /** @internal */
  handleNext(): boolean {
    const arrival = this.#waiting?.take();
    if (this.#waiting?.isEmpty) this.#waiting = undefined;
    if (arrival instanceof Event) this.#handleEnd(arrival);
    else if (arrival !== undefined) this.#listener?.received(arrival);
    return this.#waiting !== undefined;
  }

  /** Disconnects the client. What it has sent is dropped: from here on, Deno passes on nothing more of it. */
  #endFlood(): void {
    this.#waiting = undefined;
    this.close(CloseCode.POLICY_VIOLATION, FLOODED);
    this.#listener?.failed(new Error(FLOODED));
  }

  #handleEnd(event: Event): void {
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
    if (this.#mostBuffered >= HIGH_WATER_MARK) this.#mostBuffered = this.#socket.bufferedAmount;
    return this.#mostBuffered;
  }

  get isIdle(): boolean {
    // What was sent in this turn of the event loop is still counted: Deno writes it after that.
    if (this.#mostBuffered > 0) this.#mostBuffered = this.#socket.bufferedAmount;
    return this.#mostBuffered === 0;
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(frame); // does nothing once the WebSocket is closing
    this.#mostBuffered += frame.length;
    if (!this.#isAwaitingDrain && this.bufferedAmount >= HIGH_WATER_MARK) this.#awaitDrain(FIRST_PAUSE);
  }

  /** Tells the listener that this peer has drained, once it has: asks Deno after pauses that double. */
  #awaitDrain(pause: number): void {
    this.#isAwaitingDrain = true;
    setTimeout(() => {
      if (this.#socket.readyState !== WebSocket.OPEN) return;
      if (this.bufferedAmount >= HIGH_WATER_MARK) return this.#awaitDrain(Math.min(pause * 2, LONGEST_PAUSE));
      this.#isAwaitingDrain = false;
      this.#listener?.drained();
    }, pause);
  }

  close(code?: number, reason?: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close(code, reason);
  }
}
