/**
 * Listens with Bun.serve. A WebSocket handshake runs through the Hono chain like any request; then bun-engine makes
 * it, unless the author's own WebSocket route has.
 */
import type { WebSocketData } from "@socket.io/bun-engine";
import { websocket as authorEvents, type BunWebSocketData } from "hono/bun";
import type { Listener, Mounted } from "../../src/runtime.ts";
import { BunEngine } from "./engine.ts";

type Data = WebSocketData | BunWebSocketData;
type WebSocket<Data> = Bun.ServerWebSocket<Data>;

const isEngines = (socket: WebSocket<Data>): socket is WebSocket<WebSocketData> => "transport" in socket.data;
const isAuthors = (socket: WebSocket<Data>): socket is WebSocket<BunWebSocketData> => "events" in socket.data;

export async function listen(
  service: Mounted,
  { port, hostname }: { port: number; hostname: string },
): Promise<Listener> {
  const engine = new BunEngine(service.engine, service.settings.socketio);
  service.engine.attach(engine);
  const authorSockets = new Set<WebSocket<Data>>();

  const server = Bun.serve<Data>({
    port,
    hostname,
    // The longest that Bun can wait for a connection that is silent; Node waits as long as it takes.
    idleTimeout: 255,
    async fetch(request, server) {
      const env = { server, ...service.bindings };
      const answer = await service.fetch(request, env);
      return engine.claims(request) && answer.ok ? engine.upgrade(request, server, answer.headers) : answer;
    },
    // What failed where no error handler of Hono's is; Bun's own answer would show the stack.
    error(error) {
      service.settings.logger.error(error);
      return new Response("Internal Server Error", { status: 500 });
    },
    websocket: {
      maxPayloadLength: engine.opts.maxHttpBufferSize,
      // The heartbeat of Socket.IO finds dead peers; the author's own routes have none, as on Node.
      idleTimeout: 0,
      // A reader that stalls is disconnected, which it is told of, before Bun drops a message, which it is not.
      closeOnBackpressureLimit: true,
      open(socket) {
        if (isEngines(socket)) return engine.onWebSocketOpen(socket);
        authorSockets.add(socket);
        if (isAuthors(socket)) authorEvents.open(socket);
      },
      message(socket, message) {
        if (isEngines(socket)) engine.onWebSocketMessage(socket, message);
        else if (isAuthors(socket)) authorEvents.message(socket, message);
      },
      close(socket, code, reason) {
        if (isEngines(socket)) return engine.onWebSocketClose(socket, code, reason);
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
      await stopped;
    },
    terminate: () => void server.stop(true),
  };
}
