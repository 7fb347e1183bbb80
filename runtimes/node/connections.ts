/**
 * The connections that Node's own closing of a server forgets: those on which no request was made yet (browsers open
 * some in advance; Node counts them as busy, and those whose TLS handshake is not made as none of its own), and those
 * that asked for an upgrade.
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
    // One listener for all of them: a closure would be kept for each as long as its WebSocket.
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
    if (server instanceof HttpsServer) this.#watchHandshakes(server, add);
  }

  #watchHandshakes(server: HttpsServer, add: (socket: Socket) => void): void {
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

  /** A request was made on its connection. */
  markAsked({ socket }: IncomingMessage): void {
    this.#silent.delete(socket);
  }

  /** Drops those on which nothing was asked. */
  dropSilent(): void {
    for (const socket of this.#silent) socket.destroy();
  }

  /** Drops those that asked for an upgrade. */
  dropUpgraded(): void {
    for (const socket of this.#upgraded) socket.destroy();
  }
}
