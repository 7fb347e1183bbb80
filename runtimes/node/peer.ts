/**
 * A WebSocket of ws's as a peer of the engine.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Peer, PeerListener } from "../../src/engine/peer.ts";
import type { Topics } from "../../src/engine/topics.ts";

export class NodePeer implements Peer {
  readonly #socket: WebSocket;
  readonly #topics: Topics<Peer>;

  constructor(socket: WebSocket, topics: Topics<Peer>) {
    this.#socket = socket;
    this.#topics = topics;
  }

  /**
   * Tells the engine's end of the connection what happens on this one.
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
    socket.on("close", () => listener.closed());
    connection.on("drain", () => listener.drained());
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

  subscribe(topic: string): boolean {
    return this.#socket.readyState === this.#socket.OPEN && this.#topics.subscribe(topic, this);
  }

  unsubscribe(topic: string): void {
    this.#topics.unsubscribe(topic, this);
  }
}
