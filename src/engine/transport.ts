/**
 * The base of the transports. A transport carries the packets of one session in both directions, until another
 * transport takes over or the session ends.
 */
import type { Packet } from "./parser.ts";
import type { Peer } from "./peer.ts";

/** What a transport reports to: its session or, during an upgrade, the probe. */
export interface TransportListener {
  /** The transport has become writable. */
  onReady(): void;
  onPacket(packet: Packet): void;
  /** The client has violated the protocol, or the connection has failed. */
  onError(error: TransportError): void;
  onClosed(): void;
}

/** What listeners of a session's "close" get as the description of the reason "transport error". */
export class TransportError extends Error {
  readonly type = "TransportError";
  readonly description: unknown;

  constructor(message: string, description?: unknown) {
    super(message);
    this.description = description;
  }
}

/** The listener of a transport that was abandoned: it ignores everything. */
export const NOBODY: TransportListener = { onReady() {}, onPacket() {}, onError() {}, onClosed() {} };

export abstract class Transport {
  abstract readonly name: "polling" | "websocket";
  readyState: "open" | "closing" | "closed" = "open";
  listener: TransportListener = NOBODY;

  /** The WebSocket under the transport, if there is one. */
  get peer(): Peer | undefined {
    return undefined;
  }

  /** Whether a packet that is sent now leaves at once. */
  abstract readonly writable: boolean;

  /** Whether the client has nothing to take before a packet that is sent now. */
  get isIdle(): boolean {
    return this.writable;
  }

  /** Sends packets, as long as the transport is writable. @returns how many it has taken, from the first on */
  abstract send(packets: readonly Packet[]): number;

  /**
   * Closes the transport after the packets that were sent.
   * @param done called when the client has been sent the close, or cannot be reached any more
   */
  close(done: () => void = () => {}): void {
    if (this.readyState !== "open") return;
    this.readyState = "closing";
    this.doClose(done);
  }

  /** From now on, closing does not wait until the client can be sent a close packet. */
  discard(): void {}

  /** Closes the transport at once, and reports nothing to its listener any more. */
  abandon(): void {
    this.listener = NOBODY;
    this.discard();
    this.close();
  }

  /** Abandons the transport, and drops its connection where the runtime can. */
  cutOff(): void {
    this.abandon();
  }

  protected abstract doClose(done: () => void): void;

  protected fail(message: string, description?: unknown): void {
    this.listener.onError(new TransportError(message, description));
  }

  protected markClosed(): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.listener.onClosed();
  }
}
