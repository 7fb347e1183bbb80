/**
 * A crowd of Socket.IO sockets that is broadcast to: subscribers, who get at once what is published, and the others,
 * who are to be told one by one. Publishing passes by the sessions, so only those are subscribers for whom it does
 * just what sending does.
 */
import type { Socket } from "socket.io";
import { Socket as Session } from "../engine/socket.ts";
import { WebSocketTransport } from "../engine/websocket.ts";
import type { Publish } from "./engine.ts";

interface Subscriber {
  readonly socket: Socket;
  readonly session: Session;
  readonly transport: WebSocketTransport;
}

/** Whether nothing waits that was sent to this client before, and nobody is to be told of each packet. */
const isFit = ({ socket, session, transport }: Subscriber): boolean =>
  session.readyState === "open" &&
  session.transport === transport &&
  session.writeBuffer.length === 0 &&
  transport.writable &&
  !socket["_anyOutgoingListeners"]?.length &&
  session.listenerCount("packetCreate") === 0 &&
  session.listenerCount("flush") === 0 &&
  session.listenerCount("drain") === 0;

let count = 0;

export class Topic {
  /** None that an author's WebSocket route would take. */
  readonly #name = `hinoko:${++count}`;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #others: Set<string>;

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

  /** Has a socket get what is published from now on, if it is fit for that. */
  subscribe(socket: Socket): void {
    const session: object = socket.conn;
    if (!(session instanceof Session && session.transport instanceof WebSocketTransport)) return;
    const subscriber = { socket, session, transport: session.transport };
    // Of two sockets of one client in one namespace, one is told by itself.
    if (!isFit(subscriber) || !subscriber.transport.peer.subscribe?.(this.#name)) return;
    this.#subscribers.set(socket.id, subscriber);
    this.#others.delete(socket.id);
  }

  /** Makes a subscriber one of the others. */
  unsubscribe(id: string): void {
    const subscriber = this.#subscribers.get(id);
    if (!subscriber) return;
    subscriber.transport.peer.unsubscribe?.(this.#name);
    this.#subscribers.delete(id);
    this.#others.add(id);
  }

  /** Sends frames to all subscribers but these; before, those who are not fit any more become others. */
  publish(publish: Publish, frames: readonly (string | Uint8Array)[], except: ReadonlySet<string>): void {
    for (const [id, subscriber] of this.#subscribers) if (!isFit(subscriber)) this.unsubscribe(id);
    if (this.#subscribers.size === 0) return;
    for (const id of except) this.#subscribers.get(id)?.transport.peer.unsubscribe?.(this.#name);
    for (const frame of frames) publish(this.#name, frame);
    for (const id of except) this.#subscribers.get(id)?.transport.peer.subscribe?.(this.#name);
  }
}
