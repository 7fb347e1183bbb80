/**
 * Listens with Bun.serve. A WebSocket handshake runs through the Hono chain like any request; then bun-engine makes
 * it, unless the author's own WebSocket route has.
 */
import { websocket as authorEvents, type BunWebSocketData } from "hono/bun";
import { readOptions } from "../../src/engine/options.ts";
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { BunEngine } from "./engine.ts";
import type { LinkData } from "./link.ts";

type Data = LinkData | BunWebSocketData;
type WebSocket<Data> = Bun.ServerWebSocket<Data>;

const isEngines = (socket: WebSocket<Data>): socket is WebSocket<LinkData> => "link" in socket.data;
const isAuthors = (socket: WebSocket<Data>): socket is WebSocket<BunWebSocketData> => "events" in socket.data;

/** Bun's own limit for the bodies of requests, in bytes. */
const MAX_BODY_SIZE = 128 * 1024 * 1024;

export async function listen(service: Mounted, { port, hostname, tls }: Address): Promise<Listener> {
  const { logger, socketio } = service.settings;
  const options = readOptions(socketio, commands.bun.name);
  const engine = new BunEngine(service.engine, options);
  service.engine.attach(engine);
  const authorSockets = new Set<WebSocket<Data>>();

  const server = Bun.serve<Data>({
    port,
    hostname,
    ...(tls && { tls }),
    // The longest that Bun can wait for a connection that is silent; Node waits as long as it takes.
    idleTimeout: 255,
    // The author's routes keep Bun's limit; the engine has its own for the Socket.IO route.
    maxRequestBodySize: Math.max(MAX_BODY_SIZE, options.maxHttpBufferSize),
    async fetch(request, server) {
      const env = { server, ...service.bindings };
      const answer = await service.fetch(request, env);
      const upgrade = answer.ok ? engine.upgradeOf(env) : undefined;
      if (!upgrade) return answer;
      const { headers } = answer;
      // As ws does on Node: a client that names protocols gives up when none is chosen.
      const protocol = request.headers.get("sec-websocket-protocol")?.split(",")[0]?.trim();
      if (protocol) headers.set("Sec-WebSocket-Protocol", protocol);
      const upgraded = await upgrade(request, server, headers);
      return upgraded.ok ? upgraded : badHandshake();
    },
    // What failed where no error handler of Hono's is; Bun's own answer would show the stack.
    error(error) {
      logger.error(error);
      return new Response("Internal Server Error", { status: 500 });
    },
    websocket: {
      maxPayloadLength: options.maxHttpBufferSize,
      // The heartbeat of Socket.IO finds dead peers; the author's own routes have none, as on Node.
      idleTimeout: 0,
      // Nothing is dropped: the engine minds readers that do not keep up, as the author's own routes do on Node.
      backpressureLimit: 0,
      open(socket) {
        if (isEngines(socket)) return socket.data.link.open(socket);
        authorSockets.add(socket);
        if (isAuthors(socket)) authorEvents.open(socket);
      },
      message(socket, message) {
        if (isEngines(socket)) socket.data.link.received(message);
        else if (isAuthors(socket)) authorEvents.message(socket, message);
      },
      drain(socket) {
        if (isEngines(socket)) socket.data.link.drained();
      },
      close(socket, code, reason) {
        if (isEngines(socket)) return socket.data.link.closed(code, reason);
        authorSockets.delete(socket);
        if (isAuthors(socket)) authorEvents.close(socket, code, reason);
      },
    },
  });
  return {
    port: server.port ?? port,
    async close() {
      const stopped = server.stop();
      for (const socket of authorSockets) socket.close(1001);
      // Browsers open connections in advance, and Bun waits for one on which nothing was asked yet.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      await stopped;
      clearInterval(sweep);
    },
    terminate: () => void server.stop(true),
  };
}

/** To a handshake that is malformed (RFC 6455, 4.2.1). */
const badHandshake = () =>
  new Response("Bad Request: not a WebSocket handshake", {
    status: 400,
    headers: { "Sec-WebSocket-Version": "13" },
  });
