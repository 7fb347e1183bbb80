/**
 * The contract between the engine and a runtime's WebSocket: whatever keeps it can be put under the engine.
 */

/**
 * How many bytes may wait in a peer, about 1 MB: above it the engine keeps the rest in its own write buffer, where
 * Socket.IO sees that the client does not keep up, and drops what is volatile.
 */
export const HIGH_WATER_MARK = 1024 * 1024;

/** A runtime's WebSocket, as the engine uses it. None of its methods throws, also after the connection was lost. */
export interface Peer {
  /** Bytes that were sent but have not left the process. */
  readonly bufferedAmount: number;
  /** Sends one frame. Frames arrive in the order in which they were sent; the bytes are not changed afterwards. */
  send(frame: string | Uint8Array): void;
  /** Starts the closing handshake, behind the frames that were sent (RFC 6455, 7.1.2). */
  close(code?: number, reason?: string): void;
  /** Has the peer get what is published to a topic. @returns false if it does already, or is closed */
  subscribe?(topic: string): boolean;
  unsubscribe?(topic: string): void;
  /** Drops the connection, where the runtime can; it is called after `close()` for a peer that no longer answers. */
  terminate?(): void;
}

/**
 * The engine's end of a connection. A driver owes it:
 * - that the peer can send when the engine gets it, and that nothing was received before;
 * - a call for each frame, in order, and none after `closed()`;
 * - `drained()` when `bufferedAmount` is below `HIGH_WATER_MARK` again after it was at or above it;
 * - `failed()` when the peer violates the WebSocket protocol, but not when the network fails;
 * - `closed()` in the end, whoever closed the connection or lost it, and after `failed()` too; it may be called
 *   before `close()` returns.
 */
export interface PeerListener {
  received(frame: string | ArrayBuffer | Uint8Array): void;
  drained(): void;
  failed(error: unknown): void;
  closed(): void;
}
