/**
 * A transport carries the packets of one session, in both directions, until another takes over or the session ends.
 */
import type { Packet } from "./parser.ts";
import type { Peer } from "./peer.ts";

/** Who a transport reports to: its session, or the probe of an upgrade. */
export interface TransportListener {
  /** The transport can send (again). */
  ready(): void;
  packet(packet: Packet): void;
  /** The client broke the rules, or the connection failed. */
  error(error: TransportError): void;
  closed(): void;
}

/** What a "transport error" is described with. */
export class TransportError extends Error {
  readonly type = "TransportError";
  readonly description: unknown;

  constructor(message: string, description?: unknown) {
    super(message);
    this.description = description;
  }
}

/** The listener of a transport that was abandoned. */
const NOBODY: TransportListener = { ready() {}, packet() {}, error() {}, closed() {} };

export abstract class Transport {
  abstract readonly name: "polling" | "websocket";
  readyState: "open" | "closing" | "closed" = "open";
  listener: TransportListener = NOBODY;

  /** The WebSocket under the transport, if there is one. */
  get peer(): Peer | undefined {
    return undefined;
  }

  /** Whether a packet that is sent now is on its way at once. */
  abstract readonly writable: boolean;

  /** Sends packets while the transport is writable, and tells how many it took. */
  abstract send(packets: readonly Packet[]): number;

  /**
   * Closes the transport behind what was sent.
   * @param done is called when the client was told, or cannot be told any more
   */
  close(done: () => void = () => {}): void {
    if (this.readyState !== "open") return;
    this.readyState = "closing";
    this.doClose(done);
  }

  /** From now on, closing does not wait for the client to be told. */
  discard(): void {}

  /** Closes the transport, whose listener has no more use for it. */
  abandon(): void {
    this.listener = NOBODY;
    this.discard();
    this.close();
  }

  protected abstract doClose(done: () => void): void;

  protected fail(message: string, description?: unknown): void {
    this.listener.error(new TransportError(message, description));
  }

  protected onClosed(): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.listener.closed();
  }
}
