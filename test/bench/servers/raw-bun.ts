/**
 * The ceiling of Bun: its WebSocket alone, which sends every message back, or to everybody when it begins with "!".
 */
import { announce, PAGE } from "./app.ts";

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(PAGE)),
  websocket: {
    open: (socket) => void socket.subscribe("all"),
    message(socket, message) {
      if (typeof message === "string" && message.startsWith("!")) server.publish("all", message);
      else socket.send(message);
    },
  },
});
announce(server.port ?? 0);
