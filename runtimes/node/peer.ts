/**
 * Node's WebSocket as a peer: one of ws, or one with the same methods and events (websocket/index.ts).
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Peer, PeerListener } from "../../src/engine/peer.ts";
import { currentTurn, isCurrentTurn } from "../../src/engine/turn.ts";

export class NodePeer implements Peer {
  readonly #socket: WebSocket;
  /** The turn of the event loop in which a frame was sent last. */
  #sentIn = -1;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /**
   * Tells the listener what happens on this WebSocket.
   * @param connection the connection under the WebSocket, which emits "drain" when everything that waited has left
   */
  attachListener(listener: PeerListener, connection: Duplex): void {
    const socket = this.#socket;
    socket.on("message", (data, isBinary) => {
      const frame = Array.isArray(data) ? Buffer.concat(data) : data; // ws gives a list only for binaryType "fragments"
      listener.received(isBinary ? frame : String(frame));
    });
    // ws emits "error" only when the client violates the protocol. When the network fails, it only emits "close".
    socket.on("error", (error) => listener.failed(error));
    socket.on("close", (code, reason) => listener.closed(code, String(reason)));
    connection.on("drain", () => listener.drained());
  }

  get raw(): WebSocket {
    return this.#socket;
  }

  get readyState(): Peer["readyState"] {
    return this.#socket.readyState;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  get isIdle(): boolean {
    return !isCurrentTurn(this.#sentIn) && this.bufferedAmount === 0;
  }

  send(frame: string | Uint8Array): void {
    this.#sentIn = currentTurn();
    this.#socket.send(frame);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
