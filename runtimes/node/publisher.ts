/**
 * Publishes to engine.io's sessions whose transport is fast: a frame is made once, and goes to the WebSocket of each in
 * a loop, past the events and buffers of the sessions.
 */
import { Socket } from "engine.io";
import { Topics } from "../../src/engine/topics.ts";
import type { Publisher, Subscription } from "../../src/realtime/publisher.ts";
import { FastTransport } from "./transport.ts";
import { encodeMessage } from "./websocket/index.ts";

/** Events that tell of each packet that a session sends. */
const TELLING = new Set<string | symbol>(["packetCreate", "flush", "drain"]);

const isWatched = (session: Socket): boolean => {
  for (const event of TELLING) if (session.listenerCount(event) > 0) return true;
  return false;
};

class EngineSubscription implements Subscription {
  readonly session: Socket;
  readonly #transport: FastTransport;
  readonly #topic: string;
  readonly #topics: Topics<FastTransport>;
  readonly #ended: () => void;

  constructor(
    session: Socket,
    transport: FastTransport,
    { topic, topics, ended }: { topic: string; topics: Topics<FastTransport>; ended: () => void },
  ) {
    this.session = session;
    this.#transport = transport;
    this.#topic = topic;
    this.#topics = topics;
    this.#ended = ended;
  }

  /** Nothing waits in the session, and it may send. */
  get keepsUp(): boolean {
    const { session } = this;
    return session.readyState === "open" && session["writeBuffer"].length === 0 && this.#transport.isClear;
  }

  /** @returns whether the session subscribes now */
  begin(): boolean {
    const isRight = this.keepsUp && this.#transport.isPlain && !isWatched(this.session);
    return isRight && this.#topics.subscribe(this.#topic, this.#transport);
  }

  pause(): void {
    this.#topics.unsubscribe(this.#topic, this.#transport);
  }

  resume(): void {
    this.#topics.subscribe(this.#topic, this.#transport);
  }

  end(): void {
    this.pause();
    subscriptions.get(this.session)?.delete(this);
  }

  /** Somebody listens to what the session sends from now on. */
  watched(): void {
    this.end();
    this.#ended();
  }
}

/** Those of each session, which has one listener for all of them. */
const subscriptions = new WeakMap<Socket, Set<EngineSubscription>>();

function onListener(this: Socket, event: string | symbol): void {
  if (TELLING.has(event)) for (const subscription of subscriptions.get(this) ?? []) subscription.watched();
}

function subscriptionsOf(session: Socket): Set<EngineSubscription> {
  const known = subscriptions.get(session);
  if (known) return known;
  const created = new Set<EngineSubscription>();
  subscriptions.set(session, created);
  session.on("newListener", onListener);
  return created;
}

export class EnginePublisher implements Publisher {
  readonly #topics = new Topics<FastTransport>();

  subscribe(session: object, topic: string, ended: () => void): Subscription | undefined {
    if (!(session instanceof Socket && session.transport instanceof FastTransport)) return undefined;
    const of = { topic, topics: this.#topics, ended };
    const subscription = new EngineSubscription(session, session.transport, of);
    if (!subscription.begin()) return undefined;
    subscriptionsOf(session).add(subscription);
    return subscription;
  }

  /** @returns false: to ask each session costs little here, and one may have begun to buffer when the next message comes */
  publish(topic: string, data: string | Uint8Array): boolean {
    const frames = [encodeMessage(data)];
    for (const transport of this.#topics.subscribersOf(topic)) transport.sendFrame(frames);
    return false;
  }
}
