/**
 * The members of a channel as the subscribers of a Bun topic: Bun sends a published frame to all of them itself.
 */
import type { Members } from "../../../src/engine/channel.ts";
import type { Peer } from "../../../src/engine/peer.ts";
import { currentTurn } from "../../../src/engine/turn.ts";
import { BunPeer, type Topic } from "../peer.ts";

/** Publishes a frame to a topic, with Bun's `server.publish()`. @returns whether all of its subscribers keep up */
export type Publish = (topic: string, frame: string | Uint8Array) => boolean;

let topicCount = 0;

export class BunTopic implements Members<Peer>, Topic {
  /** The prefix keeps it apart from the topics of an author's own WebSocket routes. */
  readonly name = `hinoko:${++topicCount}`;
  publishedIn = -1;
  readonly #publish: Publish;

  constructor(publish: Publish) {
    this.#publish = publish;
  }

  add(peer: Peer): boolean {
    return peer instanceof BunPeer && peer.subscribe(this);
  }

  delete(peer: Peer): void {
    if (peer instanceof BunPeer) peer.unsubscribe(this);
  }

  send(frame: string | Uint8Array): boolean {
    this.publishedIn = currentTurn();
    return this.#publish(this.name, frame);
  }
}
