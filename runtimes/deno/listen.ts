/**
 * Listens on Deno with Deno.serve.
 */
import { NativeEngine } from "../../src/engine/native.ts";
import { readOptions } from "../../src/engine/options.ts";
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { createFetch } from "../fetch.ts";
import { leaveHostToGuard, type Scheme } from "./host.ts";
import { makeHandshake } from "./upgrade.ts";
import type { DenoEnv } from "./visitor.ts";

/** Answers a request; never rejects. */
export type Handler = (request: Request, info: { readonly remoteAddr: object }) => Promise<Response>;

/**
 * Binds Hinoko's engine to a service, and makes the handler that answers its requests.
 * @param scheme how the server is spoken to; if it is left out, the URL of each request tells
 */
export function createHandler(service: Mounted, scheme?: Scheme): Handler {
  const { socketio } = service.settings;
  const engine = new NativeEngine<DenoEnv>(service.engine, readOptions(service.settings, commands.deno.name));
  service.engine.attach(engine);
  const fetch = createFetch<DenoEnv>(service, engine, makeHandshake);
  const socketPath = socketio.path ?? "/socket.io";

  return async (given, { remoteAddr }) => {
    // Deno notices that the client leaves only after `signal` was read once. The engine reads it when middleware is
    // done, and the client may have left by then.
    if (given.url.includes(socketPath)) void given.signal;
    const request = leaveHostToGuard(given, scheme ?? (given.url.startsWith("https:") ? "https" : "http"));
    if (!request) return new Response("Bad Request", { status: 400 });
    // `remoteAddr` was read above: once the request has become a WebSocket, Deno does not tell it any more.
    const answer = await fetch(request, { remoteAddr, hinoko: service.binding }, given);
    return answer ?? new Response(null, { status: 500 });
  };
}

export async function listen(service: Mounted, { port, hostname, tls }: Address): Promise<Listener> {
  const handler = createHandler(service, tls ? "https" : "http");
  let stopWaiting: () => void = () => {};
  const waitStopped = new Promise<void>((resolve) => {
    stopWaiting = resolve;
  });
  const server = Deno.serve({ port, hostname, ...tls, onListen() {}, handler });
  return {
    port: server.addr.port,
    async close() {
      await Promise.race([server.shutdown(), waitStopped]);
    },
    // Deno cannot drop a connection whose request is under way, so this only ends the wait in close(). Such a
    // connection lasts until the process ends.
    terminate: stopWaiting,
  };
}
