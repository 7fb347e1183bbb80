/**
 * Topics for runtimes whose WebSockets have none: what is published goes to each subscriber in a loop, past sessions.
 */
import type { Publish } from "../realtime/engine.ts";
import { HIGH_WATER_MARK, type Peer } from "./peer.ts";
import { NativeEngine } from "./server.ts";

export class Topics {
  readonly #subscribers = new Map<string, Set<Peer>>();

  /** @returns false if the peer gets what is published to that topic already */
  subscribe(topic: string, peer: Peer): boolean {
    const peers = this.#subscribers.get(topic);
    if (peers?.has(peer)) return false;
    if (peers) peers.add(peer);
    else this.#subscribers.set(topic, new Set([peer]));
    return true;
  }

  unsubscribe(topic: string, peer: Peer): void {
    const peers = this.#subscribers.get(topic);
    if (peers?.delete(peer) && peers.size === 0) this.#subscribers.delete(topic);
  }

  readonly publish: Publish = (topic, frame) => {
    let keepUp = true;
    for (const peer of this.#subscribers.get(topic) ?? []) {
      peer.send(frame);
      if (peer.bufferedAmount >= HIGH_WATER_MARK) keepUp = false;
    }
    return keepUp;
  };
}

/** An engine that publishes so. */
export class PublishingEngine<Env extends object = object> extends NativeEngine<Env> {
  readonly topics = new Topics();
  readonly publish: Publish = this.topics.publish;
}
