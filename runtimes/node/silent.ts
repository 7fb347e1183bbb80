/**
 * Connections on which no request was made yet: browsers open some in advance. Node counts them as busy, and
 * those whose TLS handshake is not made as none of its own: a server that closes would wait for them.
 */
import type { IncomingMessage, Server } from "node:http";
import { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";

const nameOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

/** Watches a server. @returns drops the connections on which nothing was asked */
export function watchSilent(server: Server | HttpsServer): () => void {
  const silent = new Set<Socket>();
  const onRequest = ({ socket }: IncomingMessage) => void silent.delete(socket);
  const add = (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  };

  server.on("connection", add);
  server.prependListener("request", onRequest);
  server.prependListener("upgrade", onRequest);
  if (server instanceof HttpsServer) {
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
      silent.delete(raw);
      add(socket);
    });
  }
  return () => {
    for (const socket of silent) socket.destroy();
  };
}
