/**
 * The request handler on Deno. A WebSocket handshake runs through the Hono chain like any request; then the engine's
 * end, or the author's own WebSocket route, gets the socket.
 */
import { readOptions } from "../../src/engine/options.ts";
import { PublishingEngine } from "../../src/engine/topics.ts";
import { targetOf } from "../../src/engine/url.ts";
import { isLarger, TOO_BIG } from "../../src/engine/websocket.ts";
import { secure } from "../../src/http/pages.ts";
import type { Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { leaveHostToGuard, type Scheme } from "./host.ts";
import { type DenoEnv, visitor } from "./route.ts";
import { type Accept, accepting, handshake, routeOf } from "./upgrade.ts";

/** What Deno tells of a request beside the request. */
export interface RequestInfo {
  readonly remoteAddr: object;
}

export interface Handler {
  /** Answers a request; never rejects. */
  readonly fetch: (request: Request, info: RequestInfo) => Promise<Response>;
  /** The WebSockets of the author's own routes. */
  readonly authorSockets: ReadonlySet<WebSocket>;
}

/**
 * Puts Hinoko's engine under a service, and makes what answers its requests.
 * @param scheme where it is not known, that of each request's URL
 */
export function createHandler(service: Mounted, scheme?: Scheme): Handler {
  const { logger, socketio } = service.settings;
  const options = readOptions(socketio, commands.deno.name);
  const { maxHttpBufferSize } = options;
  const engine = new PublishingEngine(service.engine, options);
  service.engine.attach(engine);
  const socketPath = socketio.path ?? "/socket.io";
  const authorSockets = new Set<WebSocket>();

  /** What takes the WebSocket that the answer to this `env` stands for. */
  function acceptFor(env: object): Accept | undefined {
    const upgrade = engine.upgradeOf(env);
    if (upgrade) return accepting(upgrade, engine.topics);
    const route = routeOf(env);
    return (
      route &&
      ((socket, protocol) => {
        authorSockets.add(socket);
        socket.addEventListener("close", () => authorSockets.delete(socket));
        limit(socket, maxHttpBufferSize);
        route(socket, protocol);
      })
    );
  }

  async function answer(given: Request, { remoteAddr }: RequestInfo): Promise<Response> {
    // Deno tells the address no more when the request has become a WebSocket.
    const env = { remoteAddr, hinoko: service.bindings.hinoko };
    const request = leaveHostToGuard(given, scheme ?? (given.url.startsWith("https:") ? "https" : "http"));
    if (!request) return new Response("Bad Request", { status: 400 });
    const admitted = service.goesStraight(request.method, targetOf(request))
      ? service.admit(visitor(request, env))
      : undefined;
    const answer = admitted
      ? await engine.answer(request, env, admitted)
      : await throughChain(given, request, env);
    const accept = answer.ok ? acceptFor(env) : undefined;
    return accept ? handshake(given, answer.headers, accept) : answer;
  }

  async function throughChain(given: Request, request: Request, env: DenoEnv): Promise<Response> {
    // Deno watches the client from the first look at the signal on: the engine's own may come after it has left.
    if (given.url.includes(socketPath)) void given.signal;
    return secure(await service.fetch(request, env));
  }

  return {
    authorSockets,
    fetch: (request, info) =>
      answer(request, info).catch((error: unknown) => {
        // What failed where no error handler of Hono's is; Deno's own answer would be logged to the console.
        logger.error(error);
        return new Response("Internal Server Error", { status: 500 });
      }),
  };
}

/** Closes the WebSocket of an author's route for a message that is too big, as Node and Bun do: Deno has no limit. */
function limit(socket: WebSocket, size: number): void {
  socket.addEventListener("message", (event) => {
    if (!isLarger(event.data, size)) return;
    event.stopImmediatePropagation();
    socket.close(TOO_BIG);
  });
}
