/**
 * Socket.IO on node:http, without Hono.
 */
import { createServer } from "node:http";
import { Server } from "socket.io";
import { announce, listen, PAGE } from "./app.ts";

const server = createServer((_, response) => {
  response.writeHead(200, { "Content-Type": "text/plain; charset=UTF-8" }).end(PAGE);
});
listen(new Server(server));
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) announce(address.port);
});
