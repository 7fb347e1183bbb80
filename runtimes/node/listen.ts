/**
 * Listens with @hono/node-server. A request that asks for an upgrade runs through the Hono chain like any other;
 * then the engine makes the handshake, or the author's own WebSocket route does, or the chain's answer is written.
 */
import { once } from "node:events";
import { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import { createServer, Server as HttpsServer } from "node:https";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { createAdaptorServer, type Http2Bindings, type HttpBindings } from "@hono/node-server";
import { WebSocketServer } from "ws";
import type { EngineDriver } from "../../src/realtime/engine.ts";
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { leaveHostToGuard } from "./host.ts";
import { cutWhenLeft, finish, writeResponse } from "./raw-response.ts";
import { watchSilent } from "./silent.ts";

/** Makes a handshake that the engine let through, with the headers that the Hono chain set. */
export type MakeHandshake = (socket: Duplex, head: Buffer, headers: Headers) => void;

/** An engine as it is bound to Node. */
export interface EngineBinding {
  readonly driver: EngineDriver;
  /** What makes the handshake of this request, if the Socket.IO route let it through. @param env its `c.env` */
  handshakeOf(incoming: IncomingMessage, env: object): MakeHandshake | undefined;
}

/** The WebSockets of the author's own routes. Tells which requests became one. */
class AuthorSockets extends WebSocketServer {
  readonly upgraded = new WeakSet<IncomingMessage>();

  override handleUpgrade(...args: Parameters<WebSocketServer["handleUpgrade"]>): void {
    this.upgraded.add(args[0]);
    super.handleUpgrade(...args);
  }
}

export async function listen(
  service: Mounted,
  { port, hostname, tls }: Address,
  bind: (service: Mounted) => EngineBinding,
): Promise<Listener> {
  const engine = bind(service);
  service.engine.attach(engine.driver);
  const maxPayload = service.settings.socketio.maxHttpBufferSize ?? 1e6; // as on the runtimes that have one for all
  const authorSockets = new AuthorSockets({ noServer: true, maxPayload });
  /** What the Hono chain answers to each handshake, and the `env` that it was given. */
  const handled = new WeakMap<IncomingMessage, { answer: Response | Promise<Response>; env: object }>();

  const fetch = (request: Request, env: HttpBindings | Http2Bindings) => {
    const answer = service.fetch(request, Object.assign(env, service.bindings));
    const isHandshake = !env.outgoing;
    if (isHandshake && env.incoming instanceof IncomingMessage) handled.set(env.incoming, { answer, env });
    return answer;
  };
  const server = createAdaptorServer({
    fetch,
    websocket: { server: authorSockets },
    ...(tls && { createServer, serverOptions: tls }),
  });
  if (!(server instanceof HttpServer || server instanceof HttpsServer))
    throw new TypeError("Hinoko needs an HTTP/1.1 server");
  server.prependListener("request", leaveHostToGuard);
  server.prependListener("upgrade", leaveHostToGuard);

  const dropSilent = watchSilent(server);
  const handshakes = new Set<Duplex>();
  // After @hono/node-server's own listener, which has started the Hono chain, takes what the author's WebSocket
  // routes claim, and leaves the rest to other listeners.
  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node has taken its own listener off; without one, a client that resets its connection would end the process.
    socket.on("error", () => {});
    handshakes.add(socket);
    socket.once("close", () => handshakes.delete(socket));
    if (incoming.headers.upgrade?.toLowerCase() !== "websocket")
      serveWithoutUpgrade(server, incoming, socket);
    else onHandshake(incoming, socket, head).catch((error: unknown) => abort(socket, error));
  });

  /** The chain failed where no error handler of Hono's is: the connection ends, the listener does not. */
  function abort(socket: Duplex, error: unknown): void {
    service.settings.logger.error(error);
    socket.destroy();
  }

  async function onHandshake(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { answer: pending = new Response("Bad Request", { status: 400 }), env = {} } =
      handled.get(incoming) ?? {};
    const answer = await pending;
    const makeHandshake = answer.ok ? engine.handshakeOf(incoming, env) : undefined;
    if (makeHandshake) return makeHandshake(socket, head, answer.headers);
    await setImmediate();
    if (!authorSockets.upgraded.has(incoming)) await writeResponse(socket, answer);
  }

  server.listen(port, hostname);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    async close() {
      const closed = once(server, "close");
      server.close();
      dropSilent();
      for (const socket of authorSockets.clients) socket.close(1001);
      // A connection that is kept alive becomes idle when its request is answered.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      await closed;
      clearInterval(sweep);
    },
    terminate() {
      server.closeAllConnections();
      for (const socket of handshakes) socket.destroy();
    },
  };
}

/** An upgrade to anything but WebSocket ("h2c") is declined by answering the request as it is (RFC 9110, 7.8). */
function serveWithoutUpgrade(
  server: HttpServer | HttpsServer,
  incoming: IncomingMessage,
  socket: Duplex,
): void {
  const outgoing = new ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  if (socket instanceof Socket) outgoing.assignSocket(socket);
  outgoing.once("finish", () => finish(socket));
  cutWhenLeft(socket);
  server.emit("request", incoming, outgoing);
}
