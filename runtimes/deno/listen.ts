/**
 * Listens with Deno.serve.
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
 * Puts Hinoko's engine under a service, and makes what answers its requests.
 * @param scheme where it is not known, the one of each request's URL
 */
export function createHandler(service: Mounted, scheme?: Scheme): Handler {
  const { socketio } = service.settings;
  const engine = new NativeEngine<DenoEnv>(service.engine, readOptions(socketio, commands.deno.name));
  service.engine.attach(engine);
  const fetch = createFetch<DenoEnv>(service, engine, makeHandshake);
  const socketPath = socketio.path ?? "/socket.io";

  return async (given, { remoteAddr }) => {
    // Deno watches the client from the first look at the signal on. The engine's own look may come after it has left.
    if (given.url.includes(socketPath)) void given.signal;
    const request = leaveHostToGuard(given, scheme ?? (given.url.startsWith("https:") ? "https" : "http"));
    if (!request) return new Response("Bad Request", { status: 400 });
    // Deno does not tell the address any more when the request has become a WebSocket.
    const answer = await fetch(request, { remoteAddr, hinoko: service.binding }, given);
    return answer ?? new Response(null, { status: 500 });
  };
}

export async function listen(service: Mounted, { port, hostname, tls }: Address): Promise<Listener> {
  const handler = createHandler(service, tls ? "https" : "http");
  let giveUp: () => void = () => {};
  const givenUp = new Promise<void>((resolve) => {
    giveUp = resolve;
  });
  const server = Deno.serve({ port, hostname, ...tls, onListen() {}, handler });
  return {
    port: server.addr.port,
    async close() {
      await Promise.race([server.shutdown(), givenUp]);
    },
    // Deno drops no connection whose request is under way: it ends with the process.
    terminate: giveUp,
  };
}
