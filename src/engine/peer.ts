/**
 * The contract between a runtime's WebSocket (a peer) and what uses it: the engine, or an author's WebSocket route.
 * Either can use the WebSocket of any runtime.
 */
import { Loop } from "./channel.ts";

/**
 * How many bytes may wait in a peer (1 MiB). From there on a session keeps packets in its own write buffer: only
 * so can Socket.IO see that the client is slow, and drop volatile packets.
 */
export const HIGH_WATER_MARK = 1024 * 1024;

/** Codes that close a WebSocket (RFC 6455, 7.4.1). */
export const CloseCode = {
  /** The server is going away. */
  GOING_AWAY: 1001,
  /** Stands for a close frame without a code, which is what engine.io sends. This number itself is never sent. */
  NO_STATUS: 1005,
  /** The client does what it may not do, and no other code says what. */
  POLICY_VIOLATION: 1008,
  /** The message is too big. */
  TOO_BIG: 1009,
} as const;

/** A runtime's WebSocket. None of its methods throws, also after the connection was lost. */
export interface Peer {
  /** As in a browser's WebSocket: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: 0 | 1 | 2 | 3;
  /** How many bytes were passed to `send()` but have not left the process. */
  readonly bufferedAmount: number;
  /** Whether nothing waits in the process, and nothing was sent in this turn of the event loop. */
  readonly isIdle: boolean;
  /** The runtime's own WebSocket object, for an author who needs it. */
  readonly raw: unknown;
  /** Sends one frame. Frames arrive in the order in which they were sent; the bytes must not be changed afterwards. */
  send(frame: string | Uint8Array): void;
  /** Starts the closing handshake, behind the frames that were sent (RFC 6455, 7.1.2). */
  close(code?: number, reason?: string): void;
  /** Drops the connection, where the runtime can; it is called after `close()` for a peer that no longer answers. */
  terminate?(): void;
}

/**
 * What uses a peer. The launcher guarantees its listener:
 * - that the peer is open when the listener is connected, and that no frame was received before;
 * - one call of `received()` for each frame, in order, and none after `closed()`;
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

/** What takes the WebSocket of an accepted handshake. */
export interface Upgrade {
  /** Takes the open WebSocket, and returns its listener. Called when the handshake has been made. */
  connect(peer: Peer): PeerListener;
}

/** The members of a channel as a set of peers: a published frame is sent to each of them. */
export class PeerLoop extends Loop<Peer> {
  override add(peer: Peer): boolean {
    return peer.readyState === 1 && super.add(peer);
  }

  send(frame: string | Uint8Array): boolean {
    let hasSlowPeer = false;
    for (const peer of this.members) {
      peer.send(frame);
      if (peer.bufferedAmount >= HIGH_WATER_MARK) hasSlowPeer = true;
    }
    return !hasSlowPeer;
  }
}
