/**
 * A crowd: the Socket.IO sockets of one room, or of a namespace, as a broadcast sees them. Those that subscribe to the
 * crowd's channel get a message by one publication. The others cannot subscribe now: each of them is sent the message
 * by itself.
 */
import type { Socket } from "socket.io";
import type { Channel, Publisher, Subscription } from "../engine/channel.ts";

interface Subscriber {
  readonly socket: Socket;
  readonly subscription: Subscription;
}

/** Whether the author has registered `socket.onAnyOutgoing()`. Published messages would bypass such a listener. */
const hasOutgoingListeners = (socket: Socket): boolean => socket.listenersAnyOutgoing().length > 0;

export class Crowd {
  /**
   * The engine that opened the channel. When the service is served again, it has another engine, and needs new
   * crowds.
   */
  readonly publisher: Publisher;
  readonly #channel: Channel;
  readonly #subscribers = new Map<string, Subscriber>();
  /** The sockets of all subscribers. Each broadcast loops over them, which costs less over a set than over the map. */
  readonly #sockets = new Set<Socket>();
  readonly #others: Set<string>;
  /** Whether the last publication found a subscriber whose client is slow. True until the first publication. */
  #hasSlowSubscriber = true;

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

  /** Adds a socket that has joined. It can subscribe once a message was sent to it. */
  add(id: string): void {
    if (!this.#subscribers.has(id)) this.#others.add(id);
  }

  /** Removes a socket that has left. */
  delete(id: string): void {
    this.unsubscribe(id);
    this.#others.delete(id);
  }

  /** Subscribes a socket, if nobody can tell the messages that are published to it from those that are sent to it. */
  subscribe(socket: Socket): void {
    if (hasOutgoingListeners(socket)) return;
    const subscription = this.#channel.subscribe(socket.conn, () => this.#moveToOthers(socket));
    if (!subscription) return;
    this.#subscribers.set(socket.id, { socket, subscription });
    this.#sockets.add(socket);
    this.#others.delete(socket.id);
  }

  /** Ends a socket's subscription: from now on each message is sent to it by itself. */
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
   * Unsubscribes the sockets that must not get the next message by publication: those with a listener of outgoing
   * packets, and those of slow clients, for whom the session has to buffer the message. If it is volatile, also those
   * for whose clients anything waits: the session drops it.
   */
  unsubscribeUnfit(isVolatile: boolean): void {
    for (const socket of this.#sockets) if (hasOutgoingListeners(socket)) this.unsubscribe(socket.id);
    // Asking the engine about each subscriber takes time that publishing is there to save. It is needed only for a
    // volatile message, and when the last publication has found a slow subscriber.
    if (!isVolatile && !this.#hasSlowSubscriber) return;
    for (const [id, { subscription }] of this.#subscribers)
      if (!(isVolatile ? subscription.isIdle : subscription.isKeepingUp)) this.unsubscribe(id);
  }

  /** Publishes frames to all subscribers. @param except the ids of sockets that must not get them */
  publish(frames: readonly (string | Uint8Array)[], except: ReadonlySet<string>): void {
    if (this.#subscribers.size === 0) return;
    for (const id of except) this.#subscribers.get(id)?.subscription.pause();
    this.#hasSlowSubscriber = false;
    for (const frame of frames) if (!this.#channel.publish(frame)) this.#hasSlowSubscriber = true;
    for (const id of except) this.#subscribers.get(id)?.subscription.resume();
  }
}
