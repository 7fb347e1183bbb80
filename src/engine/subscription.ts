/**
 * A session's part in a topic: its peer gets what is published, as long as the session would do nothing but send it.
 */
import type { Publisher, Subscription } from "../realtime/publisher.ts";
import type { Peer } from "./peer.ts";
import { type Bypass, Socket } from "./socket.ts";
import { WebSocketTransport } from "./websocket.ts";

/** A peer whose runtime can publish. */
type Subscribing = Peer & Required<Pick<Peer, "subscribe" | "unsubscribe">>;

const canSubscribe = (peer: Peer): peer is Subscribing => peer.subscribe !== undefined;

class PeerSubscription implements Subscription, Bypass {
  readonly #session: Socket;
  readonly #transport: WebSocketTransport;
  readonly #peer: Subscribing;
  readonly #topic: string;
  readonly #ended: () => void;

  constructor(
    session: Socket,
    transport: WebSocketTransport,
    peer: Subscribing,
    topic: string,
    ended: () => void,
  ) {
    this.#session = session;
    this.#transport = transport;
    this.#peer = peer;
    this.#topic = topic;
    this.#ended = ended;
  }

  get keepsUp(): boolean {
    return this.#transport.writable;
  }

  /** @returns whether the peer subscribes now */
  begin(): boolean {
    if (!this.#session.bypass(this)) return false;
    if (this.#peer.subscribe(this.#topic)) return true;
    this.#session.unbypass(this);
    return false;
  }

  pause(): void {
    this.#peer.unsubscribe(this.#topic);
  }

  resume(): void {
    this.#peer.subscribe(this.#topic);
  }

  end(): void {
    this.pause();
    this.#session.unbypass(this);
  }

  bypassEnded(): void {
    this.pause();
    this.#ended();
  }
}

/** `subscribe()` of engines whose runtime publishes to peers. */
export const subscribe: Publisher["subscribe"] = (session, topic, ended) => {
  if (!(session instanceof Socket && session.transport instanceof WebSocketTransport)) return undefined;
  const { transport } = session;
  const { peer } = transport;
  if (!canSubscribe(peer)) return undefined;
  const subscription = new PeerSubscription(session, transport, peer, topic, ended);
  return subscription.begin() ? subscription : undefined;
};
