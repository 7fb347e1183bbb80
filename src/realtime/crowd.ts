/**
 * A crowd: the Socket.IO sockets that a broadcast goes to. Subscribers get at once what is published to the crowd's
 * channel; the others are sent each message one by one.
 */
import type { Socket } from "socket.io";
import type { Channel, Publisher, Subscription } from "../engine/channel.ts";

interface Subscriber {
  readonly socket: Socket;
  readonly subscription: Subscription;
}

/** Whether the author listens to what this socket is sent: published messages bypass such listeners. */
const isWatched = (socket: Socket): boolean => socket.listenersAnyOutgoing().length > 0;

export class Crowd {
  /** The bound engine that opened the channel. When the service is served again, another one is bound. */
  readonly publisher: Publisher;
  readonly #channel: Channel;
  readonly #subscribers = new Map<string, Subscriber>();
  /** The sockets of all subscribers. Each broadcast looks at all of them, which costs less in a set of their own. */
  readonly #sockets = new Set<Socket>();
  readonly #others: Set<string>;
  /** Some subscriber may not keep up. */
  #isBehind = true;

  /** @param ids of the sockets in the crowd */
  constructor(publisher: Publisher, ids: Iterable<string>) {
    this.publisher = publisher;
    this.#channel = publisher.openChannel();
    this.#others = new Set(ids);
  }

  get isEmpty(): boolean {
    return this.#subscribers.size === 0 && this.#others.size === 0;
  }

  /** The ids of the sockets that are sent each message one by one. */
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

  /** Has a socket get what is published from now on, if nobody can tell the difference. */
  subscribe(socket: Socket): void {
    if (isWatched(socket)) return;
    const subscription = this.#channel.subscribe(socket.conn, () => this.#moveToOthers(socket));
    if (!subscription) return;
    this.#subscribers.set(socket.id, { socket, subscription });
    this.#sockets.add(socket);
    this.#others.delete(socket.id);
  }

  /** Makes a subscriber one of the others. */
  unsubscribe(id: string): void {
    const subscriber = this.#subscribers.get(id);
    if (!subscriber) return;
    subscriber.subscription.end();
    this.#moveToOthers(subscriber.socket);
  }

  #moveToOthers(socket: Socket): void {
    this.#subscribers.delete(socket.id);
    this.#sockets.delete(socket);
    this.#others.add(socket.id);
  }

  /**
   * Unsubscribes those who must not get the next message by publication: sockets that the author listens to, and clients
   * that do not keep up, for whom the session has to buffer it.
   * @param isVolatile whether the next message is dropped for clients that do not keep up
   */
  unsubscribeUnfit(isVolatile: boolean): void {
    for (const socket of this.#sockets) if (isWatched(socket)) this.unsubscribe(socket.id);
    // Only the engine knows who keeps up. Asking for each subscriber is what publishing can save.
    if (!isVolatile && !this.#isBehind) return;
    for (const [id, { subscription }] of this.#subscribers) if (!subscription.keepsUp) this.unsubscribe(id);
  }

  /** Publishes frames to all subscribers but these. */
  publish(frames: readonly (string | Uint8Array)[], except: ReadonlySet<string>): void {
    if (this.#subscribers.size === 0) return;
    for (const id of except) this.#subscribers.get(id)?.subscription.pause();
    this.#isBehind = false;
    for (const frame of frames) if (!this.#channel.publish(frame)) this.#isBehind = true;
    for (const id of except) this.#subscribers.get(id)?.subscription.resume();
  }
}
