/**
 * A crowd of Socket.IO sockets that is broadcast to: subscribers, who get at once what is published, and the others,
 * who are to be told one by one. Publishing passes by the sessions, so only those are subscribers for whom it does
 * just what sending does.
 */
import type { Socket } from "socket.io";
import { type Bypass, Socket as Session } from "../engine/socket.ts";
import { WebSocketTransport } from "../engine/websocket.ts";
import type { Publish } from "./engine.ts";

interface Subscriber extends Bypass {
  readonly socket: Socket;
  readonly session: Session;
  readonly transport: WebSocketTransport;
}

/** Whether the author is to be told what this socket is sent. `listenersAnyOutgoing()` makes an array each time. */
const isWatched = (socket: Socket): boolean => Boolean(socket["_anyOutgoingListeners"]?.length);

let count = 0;

export class Topic {
  /** None that an author's WebSocket route would take. */
  readonly #name = `hinoko:${++count}`;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #others: Set<string>;
  /** Something was buffered for a subscriber when something was published last. */
  #isBehind = false;

  /** @param ids of the sockets in the crowd */
  constructor(ids: Iterable<string>) {
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
    const session: object = socket.conn;
    if (!(session instanceof Session && session.transport instanceof WebSocketTransport)) return;
    const { id } = socket;
    const { transport } = session;
    const subscriber = { socket, session, transport, end: () => this.unsubscribe(id) };
    if (isWatched(socket) || !session.bypass(subscriber)) return;
    // Of two sockets of one client in one namespace, one is told by itself.
    if (!transport.peer.subscribe?.(this.#name)) return session.unbypass(subscriber);
    this.#subscribers.set(id, subscriber);
    this.#others.delete(id);
  }

  /** Makes a subscriber one of the others. */
  unsubscribe(id: string): void {
    const subscriber = this.#subscribers.get(id);
    if (!subscriber) return;
    subscriber.transport.peer.unsubscribe?.(this.#name);
    subscriber.session.unbypass(subscriber);
    this.#subscribers.delete(id);
    this.#others.add(id);
  }

  /**
   * Makes those subscribers others for whom publishing is not right any more.
   * @param isVolatile what comes next is not for those who do not keep up
   */
  sift(isVolatile: boolean): void {
    for (const { socket } of this.#subscribers.values()) if (isWatched(socket)) this.unsubscribe(socket.id);
    // Only the runtime knows what is buffered: to ask for each is what publishing saves.
    if (!isVolatile && !this.#isBehind) return;
    for (const [id, { transport }] of this.#subscribers) if (!transport.writable) this.unsubscribe(id);
  }

  /** Sends frames to all subscribers but these. */
  publish(publish: Publish, frames: readonly (string | Uint8Array)[], except: ReadonlySet<string>): void {
    if (this.#subscribers.size === 0) return;
    for (const id of except) this.#subscribers.get(id)?.transport.peer.unsubscribe?.(this.#name);
    this.#isBehind = false;
    for (const frame of frames) if (!publish(this.#name, frame)) this.#isBehind = true;
    for (const id of except) this.#subscribers.get(id)?.transport.peer.subscribe?.(this.#name);
  }
}
