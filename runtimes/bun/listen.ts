/**
 * Listens with Bun.serve.
 */
import { type EngineOptions, readOptions } from "../../src/engine/options.ts";
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { createFetch, type FetchEngine } from "../fetch.ts";
import { BunEngine } from "./engines/native.ts";
import type { BunPeer, Publish } from "./peer.ts";
import { makeHandshake } from "./upgrade.ts";
import type { BunEnv } from "./visitor.ts";

/** Bun's own limit for the bodies of requests, in bytes. */
const MAX_BODY_SIZE = 128 * 1024 * 1024;

/** Makes the engine of a service. @socket.io/bun-engine is loaded only for those who ask for it. */
async function createEngine(
  { engine, settings }: Mounted,
  options: EngineOptions,
  publish: Publish,
): Promise<FetchEngine<BunEnv>> {
  if (settings.engine !== "matching") return new BunEngine(engine, options, publish);
  const { MatchingEngine } = await import("./engines/matching/engine.ts");
  return new MatchingEngine(engine, options);
}

export async function listen(service: Mounted, { port, hostname, tls }: Address): Promise<Listener> {
  const options = readOptions(service.settings.socketio, commands.bun.name);
  const engine = await createEngine(service, options, (topic, frame) => server.publish(topic, frame) !== -1);
  service.engine.attach(engine);
  const fetch = createFetch<BunEnv>(service, engine, makeHandshake);
  const hinoko = service.binding;

  const server = Bun.serve<BunPeer>({
    port,
    hostname,
    ...(tls && { tls }),
    // The longest that Bun can wait for a connection that is silent; Node waits as long as it takes.
    idleTimeout: 255,
    // The author's routes keep Bun's limit; the engine has its own for the Socket.IO route.
    maxRequestBodySize: Math.max(MAX_BODY_SIZE, options.maxHttpBufferSize),
    fetch: (request, server) => fetch(request, { server, hinoko }),
    websocket: {
      maxPayloadLength: options.maxHttpBufferSize,
      // The heartbeat of Socket.IO finds dead peers; the author's own routes have none, as on Node.
      idleTimeout: 0,
      // Nothing is dropped: the engine minds readers that do not keep up; the author's own routes do, as on Node.
      backpressureLimit: 0,
      open: (socket) => socket.data.opened(socket),
      message: (socket, message) => socket.data.received(message),
      drain: (socket) => socket.data.drained(),
      close: (socket, code, reason) => socket.data.closed(code, reason),
    },
  });

  return {
    port: server.port ?? port,
    async close() {
      const stopped = server.stop();
      // Browsers open connections in advance, and Bun waits for one on which nothing was asked yet.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      await stopped;
      clearInterval(sweep);
    },
    terminate: () => void server.stop(true),
  };
}
