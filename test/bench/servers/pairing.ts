/**
 * The default pairing of Node, and under node:http of Deno: Hono on @hono/node-server, and Socket.IO attached to it.
 */
import { Server as HttpServer } from "node:http";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { Server } from "socket.io";
import { announce, listen, PAGE } from "./app.ts";

const app = new Hono();
app.get("/", (c) => c.text(PAGE));
const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => announce(port));
if (server instanceof HttpServer) listen(new Server(server));
