/**
 * Listens on Bun with Bun.serve.
 */
import { type EngineOptions, readOptions } from "../../src/engine/options.ts";
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { createFetch, type FetchEngine } from "../fetch.ts";
import { refuseHeadersTimeout } from "../headers-timeout.ts";
import { BunEngine } from "./engines/native.ts";
import type { Publish } from "./engines/topic.ts";
import { omitLength } from "./head.ts";
import { LastingServer } from "./lasting-server.ts";
import type { BunPeer } from "./peer.ts";
import { makeHandshake } from "./upgrade.ts";
import type { BunEnv } from "./visitor.ts";

/** Bun's own default limit for the body of a request, in bytes. */
const MAX_BODY_SIZE = 128 * 1024 * 1024;

/** Makes the engine of a service. @socket.io/bun-engine is loaded only if the settings ask for it. */
async function createEngine(
  { engine, settings }: Mounted,
  options: EngineOptions,
  publish: Publish,
): Promise<FetchEngine<BunEnv>> {
  if (settings.engine !== "matching") return new BunEngine(engine, options, publish);
  const { MatchingEngine } = await import("./engines/matching/engine.ts");
  return new MatchingEngine(engine, options, settings.logger);
}

export async function listen(service: Mounted, { port, hostname, tls }: Address): Promise<Listener> {
  refuseHeadersTimeout(service.settings, commands.bun.name, "Bun itself waits for 10 to 14 seconds");
  const options = readOptions(service.settings, commands.bun.name);
  const engine = await createEngine(service, options, (topic, frame) => server.publish(topic, frame));
  service.engine.attachDriver(engine);
  const fetch = createFetch<BunEnv>(service, engine, { makeHandshake, omitLength });
  const hinoko = service.binding;

  const open = (port: number) =>
    Bun.serve<BunPeer>({
      port,
      hostname,
      ...(tls && { tls }),
      // The longest time, in seconds, that Bun can leave a connection silent. Node has no such limit while it answers.
      idleTimeout: 255,
      // Bun has one limit for all routes. The author's keep Bun's own, unless Socket.IO needs more; on its route the
      // engine enforces maxHttpBufferSize itself.
      maxRequestBodySize: Math.max(MAX_BODY_SIZE, options.maxHttpBufferSize),
      fetch: (request, server) => fetch(request, { server, request, hinoko }),
      websocket: {
        maxPayloadLength: options.maxHttpBufferSize,
        // Off: Socket.IO's heartbeat finds dead peers. The author's WebSocket routes have no such limit on Node either.
        idleTimeout: 0,
        // Off, so that Bun drops no frame for a slow reader: the engine waits for those itself, and an author's route has
        // to do the same on Node.
        backpressureLimit: 0,
        open: (socket) => socket.data.opened(socket),
        message: (socket, message) => socket.data.received(message),
        drain: (socket) => socket.data.drained(),
        close: (socket, code, reason) => socket.data.closed(code, reason),
      },
    });

  const server = new LastingServer(open, service.settings.logger);
  return {
    port: server.listen(port),
    close: () => server.close(),
    terminate: () => server.terminate(),
  };
}
