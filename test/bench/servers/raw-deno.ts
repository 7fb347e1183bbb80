/**
 * The ceiling of Deno: its WebSocket alone, which sends every message back, or to everybody when it begins with "!".
 */
import { announce, PAGE } from "./app.ts";

const sockets = new Set<WebSocket>();
const { addr } = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
  if (request.headers.get("upgrade") !== "websocket") return new Response(PAGE);
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", () => sockets.add(socket));
  socket.addEventListener("close", () => sockets.delete(socket));
  socket.addEventListener("message", ({ data }) => {
    if (typeof data !== "string" || !data.startsWith("!")) return socket.send(data);
    for (const other of sockets) other.send(data);
  });
  return response;
});
announce(addr.port);
