/**
 * The default pairing of Bun: Hono and @socket.io/bun-engine, as the README of the engine has it.
 */
import { Server as Engine } from "@socket.io/bun-engine";
import { Hono } from "hono";
import { Server } from "socket.io";
import { announce, listen, PAGE } from "./app.ts";

const io = new Server();
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);
listen(io);

const app = new Hono();
app.get("/", (c) => c.text(PAGE));
const { websocket } = engine.handler();
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 30, // must be greater than the "pingInterval" option of the engine, which defaults to 25 seconds
  fetch(request, server) {
    const url = new URL(request.url);
    return url.pathname === "/socket.io/"
      ? engine.handleRequest(request, server)
      : app.fetch(request, server);
  },
  websocket,
});
announce(server.port ?? 0);
