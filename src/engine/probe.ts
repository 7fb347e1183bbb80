/**
 * The probe of an upgrade: the client sends a ping over the new transport, and gets a pong, before the transport takes
 * over from polling.
 * @see https://socket.io/docs/v4/engine-io-protocol/#upgrade
 */
import { clearTimeout, setTimeout } from "node:timers";
import type { Packet } from "./parser.ts";
import type { Transport, TransportListener } from "./transport.ts";

/**
 * How long a poll may stay pending after the pong, in milliseconds. The client upgrades once none of its polls is
 * pending. The poll that is pending when the pong is sent is released at once, but the client may send another before
 * it has read the pong.
 */
const PENDING_POLL_TIMEOUT = 100;

/** The part of a session that a probe calls. */
export interface UpgradeListener {
  /** The client has probed the transport. */
  onProbed(): void;
  /** Answers a pending poll with a noop packet: the client upgrades when it has no pending request. */
  releasePoll(): void;
  /** The probe is over. @param isUpgraded whether the transport takes over; if not, it was closed */
  onEnded(isUpgraded: boolean): void;
}

export class Probe implements TransportListener {
  readonly #transport: Transport;
  readonly #session: UpgradeListener;
  readonly #timeout: ReturnType<typeof setTimeout>;
  #hasPonged = false;
  #releaseTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param timeout how long the client has to upgrade, in milliseconds */
  constructor(transport: Transport, timeout: number, session: UpgradeListener) {
    this.#transport = transport;
    this.#session = session;
    this.#timeout = setTimeout(() => this.fail(), timeout);
    transport.listener = this;
  }

  onPacket({ type, data }: Packet): void {
    if (type === "ping" && data === "probe") {
      this.#transport.send([{ type: "pong", data }]);
      this.#session.onProbed();
      this.#session.releasePoll();
      this.#hasPonged = true;
    } else if (type === "upgrade") {
      this.#stop();
      this.#session.onEnded(true);
    } else {
      this.fail();
    }
  }

  /** The session's old transport is polling, and the client has sent it another poll. */
  onPolled(): void {
    if (!this.#hasPonged) return;
    clearTimeout(this.#releaseTimer);
    this.#releaseTimer = setTimeout(() => this.#session.releasePoll(), PENDING_POLL_TIMEOUT);
  }

  onReady(): void {}

  onError(): void {
    this.fail();
  }

  onClosed(): void {
    this.fail();
  }

  /** Closes the new transport. The session goes on with its old one, and may be upgraded later. */
  fail(): void {
    this.#stop();
    this.#transport.abandon();
    this.#session.onEnded(false);
  }

  #stop(): void {
    clearTimeout(this.#releaseTimer);
    clearTimeout(this.#timeout);
  }
}
