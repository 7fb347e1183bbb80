/**
 * Topics for runtimes whose WebSockets have none: what is published goes to each subscriber in a loop, past sessions.
 */
import type { Publisher } from "../realtime/publisher.ts";
import { HIGH_WATER_MARK, type Peer } from "./peer.ts";
import { NativeEngine } from "./server.ts";
import { subscribe } from "./subscription.ts";

/** Who subscribes to what. */
export class Topics<Subscriber> {
  readonly #subscribers = new Map<string, Set<Subscriber>>();

  /** @returns false if the subscriber gets what is published to that topic already */
  subscribe(topic: string, subscriber: Subscriber): boolean {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers?.has(subscriber)) return false;
    if (subscribers) subscribers.add(subscriber);
    else this.#subscribers.set(topic, new Set([subscriber]));
    return true;
  }

  unsubscribe(topic: string, subscriber: Subscriber): void {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers?.delete(subscriber) && subscribers.size === 0) this.#subscribers.delete(topic);
  }

  subscribersOf(topic: string): Iterable<Subscriber> {
    return this.#subscribers.get(topic) ?? [];
  }
}

/** An engine that publishes so. */
export class PublishingEngine<Env extends object = object> extends NativeEngine<Env> {
  readonly topics = new Topics<Peer>();
  readonly publisher: Publisher = {
    subscribe,
    publish: (topic, frame) => {
      let keepUp = true;
      for (const peer of this.topics.subscribersOf(topic)) {
        peer.send(frame);
        if (peer.bufferedAmount >= HIGH_WATER_MARK) keepUp = false;
      }
      return keepUp;
    },
  };
}
