/**
 * A crowd of Socket.IO sockets that is broadcast to: subscribers, who get at once what is published, and the others,
 * who are to be told one by one.
 */
import type { Socket } from "socket.io";
import type { Publisher, Subscription } from "./publisher.ts";

interface Subscriber {
  readonly socket: Socket;
  readonly subscription: Subscription;
}

/** Whether the author is to be told what this socket is sent. `listenersAnyOutgoing()` makes an array each time. */
const isWatched = (socket: Socket): boolean => Boolean(socket["_anyOutgoingListeners"]?.length);

let count = 0;

export class Topic {
  /** None that an author's WebSocket route would take. */
  readonly #name = `hinoko:${++count}`;
  readonly publisher: Publisher;
  readonly #subscribers = new Map<string, Subscriber>();
  /** Their sockets, in one row: a look at each of them, for each broadcast, costs less so. */
  readonly #sockets = new Set<Socket>();
  readonly #others: Set<string>;
  /** Somebody may not keep up. */
  #isBehind = true;

  /** @param ids of the sockets in the crowd */
  constructor(publisher: Publisher, ids: Iterable<string>) {
    this.publisher = publisher;
    this.#others = new Set(ids);
  }

  get isEmpty(): boolean {
    return this.#subscribers.size === 0 && this.#others.size === 0;
  }

  /** The ids of those who are to be told one by one. */
  get others(): readonly string[] {
    return this.#others.size === 0 ? [] : [...this.#others];
  }

  add(id: string): void {
    if (!this.#subscribers.has(id)) this.#others.add(id);
  }

  delete(id: string): void {
    this.unsubscribe(id);
    this.#others.delete(id);
  }

  /** Has a socket get what is published from now on, if that may be. */
  subscribe(socket: Socket): void {
    if (isWatched(socket)) return;
    const { id } = socket;
    const subscription = this.publisher.subscribe(socket.conn, this.#name, () => this.#move(socket));
    if (!subscription) return;
    this.#subscribers.set(id, { socket, subscription });
    this.#sockets.add(socket);
    this.#others.delete(id);
  }

  /** Makes a subscriber one of the others. */
  unsubscribe(id: string): void {
    const subscriber = this.#subscribers.get(id);
    if (!subscriber) return;
    subscriber.subscription.end();
    this.#move(subscriber.socket);
  }

  #move(socket: Socket): void {
    this.#subscribers.delete(socket.id);
    this.#sockets.delete(socket);
    this.#others.add(socket.id);
  }

  /**
   * Makes those subscribers others for whom publishing is not right any more.
   * @param isVolatile what comes next is not for those who do not keep up
   */
  sift(isVolatile: boolean): void {
    for (const socket of this.#sockets) if (isWatched(socket)) this.unsubscribe(socket.id);
    // Only the engine knows who keeps up: to ask for each is what publishing can save.
    if (!isVolatile && !this.#isBehind) return;
    for (const [id, { subscription }] of this.#subscribers) if (!subscription.keepsUp) this.unsubscribe(id);
  }

  /** Sends frames to all subscribers but these. */
  publish(frames: readonly (string | Uint8Array)[], except: ReadonlySet<string>): void {
    if (this.#subscribers.size === 0) return;
    for (const id of except) this.#subscribers.get(id)?.subscription.pause();
    this.#isBehind = false;
    for (const frame of frames) if (!this.publisher.publish(this.#name, frame)) this.#isBehind = true;
    for (const id of except) this.#subscribers.get(id)?.subscription.resume();
  }
}
