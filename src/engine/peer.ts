/**
 * The contract between a runtime's WebSocket and whoever uses it: the engine, or an author's WebSocket route. Whatever
 * runtime keeps the connection, it can be put under either.
 */
import { Loop } from "./channel.ts";

/**
 * How many bytes may wait in a peer, about 1 MB. Above it the engine keeps the rest in its own write buffer, where
 * Socket.IO sees that the client does not keep up, and drops what is volatile.
 */
export const HIGH_WATER_MARK = 1024 * 1024;

/** Codes that close a WebSocket (RFC 6455, 7.4.1). */
export const CloseCode = {
  /** The server goes away. */
  GOING_AWAY: 1001,
  /** Stands for a close frame without a code, which is how engine.io closes. It is never sent. */
  NO_STATUS: 1005,
  /** The message is too big. */
  TOO_BIG: 1009,
} as const;

/** A runtime's WebSocket. None of its methods throws, also after the connection was lost. */
export interface Peer {
  /** As of a WebSocket in browsers: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: 0 | 1 | 2 | 3;
  /** Bytes that were sent but have not left the process. */
  readonly bufferedAmount: number;
  /** The runtime's own object, for an author who needs it. */
  readonly raw: unknown;
  /** Sends one frame. Frames arrive in the order in which they were sent; the bytes must not be changed afterwards. */
  send(frame: string | Uint8Array): void;
  /** Starts the closing handshake, behind the frames that were sent (RFC 6455, 7.1.2). */
  close(code?: number, reason?: string): void;
  /** Drops the connection, where the runtime can; it is called after `close()` for a peer that no longer answers. */
  terminate?(): void;
}

/**
 * Who uses a peer. A launcher owes it:
 * - that the peer can send when the listener gets it, and that nothing was received before;
 * - a call for each frame, in order, and none after `closed()`;
 * - `drained()` when `bufferedAmount` is below `HIGH_WATER_MARK` again after it was at or above it;
 * - `failed()` when the client violates the WebSocket protocol, but not when the network fails;
 * - `closed()` in the end, whoever closed the connection or lost it, and after `failed()` too; it may be called
 *   before `close()` returns.
 */
export interface PeerListener {
  received(frame: string | ArrayBuffer | Uint8Array): void;
  drained(): void;
  failed(error: unknown): void;
  /** @param code why it was closed (RFC 6455, 7.4) */
  closed(code: number, reason: string): void;
}

/** Who gets a WebSocket whose handshake was let through. */
export interface Upgrade {
  /** Takes the open WebSocket. Called when the handshake has been made. */
  connect(peer: Peer): PeerListener;
}

/** What is published goes to each peer in a loop. */
export class PeerLoop extends Loop<Peer> {
  override add(peer: Peer): boolean {
    return peer.readyState === 1 && super.add(peer);
  }

  send(frame: string | Uint8Array): boolean {
    let keepUp = true;
    for (const peer of this.members) {
      peer.send(frame);
      if (peer.bufferedAmount >= HIGH_WATER_MARK) keepUp = false;
    }
    return keepUp;
  }
}
