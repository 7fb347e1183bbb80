/**
 * Keeps the connections that stay open when Node's server is closed, so that they can be dropped:
 * - silent ones, on which no request was made yet. Browsers open some in advance. Node takes them for busy, and does
 *   not know those at all whose TLS handshake is not complete.
 * - upgraded ones. Node hands them over and forgets them.
 */
import type { IncomingMessage, Server } from "node:http";
import { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

export type NodeServer = Server | HttpsServer;

const nameOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

export class Connections {
  readonly #silent = new Set<Duplex>();
  readonly #upgraded = new Set<Duplex>();

  constructor(server: NodeServer) {
    const [silent, upgraded] = [this.#silent, this.#upgraded];
    // All connections share one listener. A closure for each would take memory for as long as its WebSocket lasts.
    function onClose(this: Duplex): void {
      silent.delete(this);
      upgraded.delete(this);
    }
    const add = (socket: Socket) => {
      silent.add(socket);
      socket.on("close", onClose);
    };
    server.on("connection", add);
    server.on("upgrade", (_, socket) => {
      silent.delete(socket);
      upgraded.add(socket);
    });
    if (server instanceof HttpsServer) this.#watchTlsHandshakes(server, add);
  }

  /**
   * Also keeps connections whose TLS handshake is not complete. When it is, Node emits another socket over the same
   * connection, which is kept in place of the raw one; they are matched by the client's address and port.
   */
  #watchTlsHandshakes(server: HttpsServer, add: (socket: Socket) => void): void {
    const unsecured = new Map<string, Socket>();
    server.on("connection", (socket: Socket) => {
      const name = nameOf(socket);
      unsecured.set(name, socket);
      socket.once("close", () => unsecured.get(name) === socket && unsecured.delete(name));
    });
    server.prependListener("secureConnection", (socket) => {
      const raw = unsecured.get(nameOf(socket));
      if (!raw) return;
      unsecured.delete(nameOf(socket));
      this.#silent.delete(raw);
      add(socket);
    });
  }

  /** Notes that a request was made on a connection, which is silent no more. */
  markUsed({ socket }: IncomingMessage): void {
    this.#silent.delete(socket);
  }

  /** Drops the connections on which no request was made. */
  dropSilent(): void {
    for (const socket of this.#silent) socket.destroy();
  }

  /** Drops the connections that asked for an upgrade. */
  dropUpgraded(): void {
    for (const socket of this.#upgraded) socket.destroy();
  }
}
