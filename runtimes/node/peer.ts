/**
 * A WebSocket of ws's, or of ws's form, as a peer.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Peer, PeerListener } from "../../src/engine/peer.ts";

export class NodePeer implements Peer {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /**
   * Tells the listener what happens on the connection.
   * @param connection what is under the WebSocket: it is "drained" when all that waited has left
   */
  listen(listener: PeerListener, connection: Duplex): void {
    const socket = this.#socket;
    socket.on("message", (data, isBinary) => {
      const frame = Array.isArray(data) ? Buffer.concat(data) : data; // ws gives a Buffer unless it is told otherwise
      listener.received(isBinary ? frame : String(frame));
    });
    // ws tells what the client did wrong; a network that fails only closes the WebSocket.
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

  send(frame: string | Uint8Array): void {
    this.#socket.send(frame);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
