/**
 * Listens on Deno with Deno.serve.
 */
import { NativeEngine } from "../../src/engine/native.ts";
import { readOptions } from "../../src/engine/options.ts";
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { createFetch } from "../fetch.ts";
import { refuseHeadersTimeout } from "../headers-timeout.ts";
import { omitLength } from "./head.ts";
import { leaveHostToGuard, type Scheme } from "./host.ts";
import { LastingServer } from "./lasting-server.ts";
import { makeHandshake } from "./upgrade.ts";
import type { DenoEnv } from "./visitor.ts";

/** Answers a request; never rejects. */
export type Handler = (request: Request, info: { readonly remoteAddr: object }) => Promise<Response>;

/**
 * Binds Hinoko's engine to a service, and makes the handler that answers its requests.
 * @param scheme how the server is spoken to; if it is left out, the URL of each request tells
 * @param pending where answers that are awaited can be given up
 */
export function createHandler(service: Mounted, scheme?: Scheme, pending = new PendingAnswers()): Handler {
  const { socketio } = service.settings;
  refuseHeadersTimeout(service.settings, commands.deno.name, "have a proxy in front limit the time");
  const engine = new NativeEngine<DenoEnv>(service.engine, readOptions(service.settings, commands.deno.name));
  service.engine.attachDriver(engine);
  const fetch = createFetch<DenoEnv>(service, engine, { makeHandshake, omitLength });
  const socketPath = socketio.path ?? "/socket.io";

  return async (given, { remoteAddr }) => {
    // Deno notices that the client leaves only after `signal` was read once. The engine reads it when middleware is
    // done, and the client may have left by then.
    if (given.url.includes(socketPath)) void given.signal;
    const request = leaveHostToGuard(given, scheme ?? (given.url.startsWith("https:") ? "https" : "http"));
    if (!request) return new Response("Bad Request", { status: 400 });
    // `remoteAddr` was read above: once the request has become a WebSocket, Deno does not tell it any more.
    const answer = fetch(request, { remoteAddr, hinoko: service.binding }, given);
    const response = answer instanceof Promise ? await pending.waitFor(answer) : answer;
    return response ?? new Response(null, { status: 500 });
  };
}

/**
 * The answers that are awaited. Deno cannot drop a connection whose request is under way, so the server answers by itself
 * when it gives them up; with that, the connection is closed.
 */
class PendingAnswers {
  readonly #giveUps = new Set<() => void>();

  /** Resolves with the answer, or with a 503 when it is given up before. */
  waitFor(answer: Promise<Response | undefined>): Promise<Response | undefined> {
    return new Promise((resolve, reject) => {
      const giveUp = () => resolve(new Response("Service Unavailable", { status: 503 }));
      this.#giveUps.add(giveUp);
      void answer.then(resolve, reject).finally(() => this.#giveUps.delete(giveUp));
    });
  }

  giveUp(): void {
    for (const giveUp of this.#giveUps) giveUp();
  }
}

export async function listen(service: Mounted, { port, hostname, tls }: Address): Promise<Listener> {
  const pending = new PendingAnswers();
  const handler = createHandler(service, tls ? "https" : "http", pending);
  let stopWaiting: () => void = () => {};
  const waitStopped = new Promise<void>((resolve) => {
    stopWaiting = resolve;
  });
  const server = new LastingServer({ hostname, ...tls, onListen() {}, handler }, service.settings.logger);
  return {
    port: server.listen(port),
    async close() {
      await Promise.race([server.shutdown(), waitStopped]);
    },
    // Ends the wait in close() too: an answer that is being sent, a stream that never ends or a download that nobody
    // reads, lasts until the process ends. Deno cannot drop it: its `signal` does nothing after shutdown().
    terminate() {
      pending.giveUp();
      stopWaiting();
    },
  };
}
