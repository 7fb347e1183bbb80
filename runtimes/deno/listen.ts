/**
 * Listens with Deno.serve. A WebSocket handshake runs through the Hono chain like any request; then the engine's end,
 * or the author's own WebSocket route, gets the socket.
 */
import { readOptions } from "../../src/engine/options.ts";
import { NativeEngine } from "../../src/engine/server.ts";
import type { Listener, Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { leaveHostToGuard } from "./host.ts";
import { type Accept, accepting, handshake, routeOf } from "./upgrade.ts";

export async function listen(
  service: Mounted,
  { port, hostname }: { port: number; hostname: string },
): Promise<Listener> {
  const { logger, socketio } = service.settings;
  const engine = new NativeEngine(service.engine, readOptions(socketio, commands.deno.name));
  service.engine.attach(engine);
  const socketPath = socketio.path ?? "/socket.io";
  const authorSockets = new Set<WebSocket>();
  let giveUp: () => void = () => {};
  const givenUp = new Promise<void>((resolve) => {
    giveUp = resolve;
  });

  /** What takes the WebSocket that the answer to this `env` stands for. */
  function acceptFor(env: object): Accept | undefined {
    const upgrade = engine.upgradeOf(env);
    if (upgrade) return accepting(upgrade);
    const route = routeOf(env);
    return (
      route &&
      ((socket, protocol) => {
        authorSockets.add(socket);
        socket.addEventListener("close", () => authorSockets.delete(socket));
        route(socket, protocol);
      })
    );
  }

  const server = Deno.serve({
    port,
    hostname,
    onListen() {},
    async handler(request, { remoteAddr }) {
      // Deno tells the address no more when the request has become a WebSocket.
      const env = { remoteAddr, ...service.bindings };
      // Deno watches the client from the first look at the signal on: the engine's own may come after it has left.
      if (request.url.includes(socketPath)) void request.signal;
      const answer = await service.fetch(leaveHostToGuard(request), env);
      const accept = answer.ok ? acceptFor(env) : undefined;
      return accept ? handshake(request, answer.headers, accept) : answer;
    },
    // What failed where no error handler of Hono's is; Deno's own answer would be logged to the console.
    onError(error) {
      logger.error(error);
      return new Response("Internal Server Error", { status: 500 });
    },
  });
  return {
    port: server.addr.port,
    async close() {
      const stopped = server.shutdown();
      for (const socket of authorSockets) socket.close(1001);
      await Promise.race([stopped, givenUp]);
    },
    // Deno drops no connection whose request is under way: it ends with the process.
    terminate: giveUp,
  };
}
