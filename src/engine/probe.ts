/**
 * The probe of an upgrade: a new transport of a polling session shows that it works before it takes over.
 * @see https://socket.io/docs/v4/engine-io-protocol/#upgrade
 */
import { clearTimeout, setTimeout } from "node:timers";
import type { Packet } from "./parser.ts";
import type { Transport, TransportListener } from "./transport.ts";

/**
 * How long a poll may be pending while the client waits to leave polling, in milliseconds. The one that is pending
 * when the pong is sent is ended with it; the client may open another before it reads that.
 */
const PATIENCE = 100;

/** What a session does about its upgrade. */
export interface Upgrading {
  /** The client has probed the transport. */
  probed(): void;
  /** Ends a pending poll: the client switches when it has no request under way. */
  nudge(): void;
  /** The probe is over: the transport takes over, or it was closed. */
  ended(isUpgraded: boolean): void;
}

export class Probe implements TransportListener {
  readonly #transport: Transport;
  readonly #session: Upgrading;
  readonly #timeout: ReturnType<typeof setTimeout>;
  #hasPonged = false;
  #nudge: ReturnType<typeof setTimeout> | undefined;

  /** @param timeout how long the client has to upgrade, in milliseconds */
  constructor(transport: Transport, timeout: number, session: Upgrading) {
    this.#transport = transport;
    this.#session = session;
    this.#timeout = setTimeout(() => this.fail(), timeout);
    transport.listener = this;
  }

  packet({ type, data }: Packet): void {
    if (type === "ping" && data === "probe") {
      this.#transport.send([{ type: "pong", data }]);
      this.#session.probed();
      this.#session.nudge();
      this.#hasPonged = true;
    } else if (type === "upgrade") {
      this.#stop();
      this.#session.ended(true);
    } else {
      this.fail();
    }
  }

  /** The client has opened a poll. */
  polled(): void {
    if (!this.#hasPonged) return;
    clearTimeout(this.#nudge);
    this.#nudge = setTimeout(() => this.#session.nudge(), PATIENCE);
  }

  ready(): void {}

  error(): void {
    this.fail();
  }

  closed(): void {
    this.fail();
  }

  /** Gives the transport up. The session goes on without it, and may be upgraded to another. */
  fail(): void {
    this.#stop();
    this.#transport.abandon();
    this.#session.ended(false);
  }

  #stop(): void {
    clearTimeout(this.#nudge);
    clearTimeout(this.#timeout);
  }
}
