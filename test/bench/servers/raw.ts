/**
 * The ceiling of Node: ws alone, which sends every message back, or to everybody when it begins with "!".
 */
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { announce, PAGE } from "./app.ts";

const server = createServer((_, response) => {
  response.writeHead(200, { "Content-Type": "text/plain; charset=UTF-8" }).end(PAGE);
});
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    const message = isBinary ? data : String(data);
    if (typeof message !== "string" || !message.startsWith("!")) return socket.send(message);
    for (const other of sockets.clients) other.send(message);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) announce(address.port);
});
