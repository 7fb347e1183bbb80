/**
 * Publishes to engine.io's sessions whose transport is fast: a frame is made once, and goes to the WebSocket of each in
 * a loop, past the events and buffers of the sessions.
 */
import { Socket } from "engine.io";
import { Topics } from "../../src/engine/topics.ts";
import type { Publisher, Subscription } from "../../src/realtime/publisher.ts";
import { FastTransport } from "./transport.ts";
import { BINARY, FIN, frame, TEXT } from "./websocket/frame.ts";

/** Events that tell of each packet that a session sends. */
const TELLING: readonly (string | symbol)[] = ["packetCreate", "flush", "drain"];

class EngineSubscription implements Subscription {
  readonly #session: Socket;
  readonly #transport: FastTransport;
  readonly #topics: Topics<FastTransport>;
  readonly #topic: string;
  readonly #ended: () => void;

  constructor(
    [session, transport]: [Socket, FastTransport],
    [topics, topic]: [Topics<FastTransport>, string],
    ended: () => void,
  ) {
    this.#session = session;
    this.#transport = transport;
    this.#topics = topics;
    this.#topic = topic;
    this.#ended = ended;
  }

  /** Nothing waits in the session, and it may send. */
  get keepsUp(): boolean {
    const session = this.#session;
    return session.readyState === "open" && session["writeBuffer"].length === 0 && this.#transport.isClear;
  }

  /** @returns whether the session subscribes now */
  begin(): boolean {
    const session = this.#session;
    if (!this.keepsUp || !this.#transport.isPlain) return false;
    if (TELLING.some((event) => session.listenerCount(event) > 0)) return false;
    if (!this.#topics.subscribe(this.#topic, this.#transport)) return false;
    session.on("newListener", this.#onListener);
    return true;
  }

  readonly #onListener = (event: string | symbol): void => {
    if (!TELLING.includes(event)) return;
    this.end();
    this.#ended();
  };

  pause(): void {
    this.#topics.unsubscribe(this.#topic, this.#transport);
  }

  resume(): void {
    this.#topics.subscribe(this.#topic, this.#transport);
  }

  end(): void {
    this.pause();
    this.#session.off("newListener", this.#onListener);
  }
}

export class EnginePublisher implements Publisher {
  readonly #topics = new Topics<FastTransport>();

  subscribe(session: object, topic: string, ended: () => void): Subscription | undefined {
    if (!(session instanceof Socket && session.transport instanceof FastTransport)) return undefined;
    const subscription = new EngineSubscription([session, session.transport], [this.#topics, topic], ended);
    return subscription.begin() ? subscription : undefined;
  }

  /** @returns false: to ask each session costs little here, and one may have begun to buffer when the next message comes */
  publish(topic: string, data: string | Uint8Array): boolean {
    const frames = [frame((typeof data === "string" ? TEXT : BINARY) | FIN, data)];
    for (const { socket } of this.#topics.subscribersOf(topic)) socket._sender.sendFrame(frames);
    return false;
  }
}
