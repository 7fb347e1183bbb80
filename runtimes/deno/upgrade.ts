/**
 * WebSocket handshakes on Deno, the engine's and the author's: the Hono chain runs to its end first, and what it set
 * is sent with the 101. Deno has `upgradeWebSocket` called when nothing can fail any more: an exception between it
 * and the return of its response stops the listener.
 */
import type { Context } from "hono";
import { defineWebSocketHelper, WSContext, type WSEvents } from "hono/ws";
import type { Peer } from "../../src/engine/peer.ts";
import type { Upgrade } from "../../src/engine/server.ts";
import type { Topics } from "../../src/engine/topics.ts";
import { DenoPeer } from "./peer.ts";

/** What is done with a WebSocket that was just made. */
export type Accept = (socket: WebSocket, protocol: string) => void;

/** The author's handshakes that their routes let through, by the `env` of the request. */
const routes = new WeakMap<object, Accept>();

/** What an author's WebSocket route does with the handshake of this `env`, if it let it through. */
export const routeOf = (env: object): Accept | undefined => routes.get(env);

/** Hono's helper for WebSocket routes. A route answers with an empty 200 that stands for the 101. */
export const upgradeWebSocket = defineWebSocketHelper((c: Context, events: WSEvents<WebSocket>) => {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return undefined;
  const url = new URL(c.req.url);
  // The request of a WebSocket cannot be read any more; a route's listeners may want to.
  c.req.raw = new Request(url, { headers: [...c.req.raw.headers] });
  routes.set(c.env, (socket, protocol) => run(socket, events, { protocol, url }));
  return c.body(null);
});

function run(
  socket: WebSocket,
  events: WSEvents<WebSocket>,
  { protocol, url }: { protocol: string; url: URL },
): void {
  const context = new WSContext({
    raw: socket,
    url,
    protocol,
    get readyState() {
      return socket.readyState;
    },
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
  });
  socket.addEventListener("open", (event) => events.onOpen?.(event, context));
  socket.addEventListener("message", (event) => events.onMessage?.(event, context));
  socket.addEventListener("close", (event) => events.onClose?.(event, context));
  socket.addEventListener("error", (event) => events.onError?.(event, context));
}

/** Puts a WebSocket under the engine when it can send. */
export const accepting =
  (upgrade: Upgrade, topics: Topics<Peer>): Accept =>
  (socket) => {
    const open = () => {
      const peer = new DenoPeer(socket, topics);
      peer.listen(upgrade.connect(peer));
    };
    socket.addEventListener("open", open, { once: true }); // what opened it can be forgotten
  };

/** Fields of the connection and of a body, which the Hono chain may have set on what stands for the 101. */
const NOT_ITS_OWN = /^(?:connection|content-length|keep-alive|transfer-encoding|upgrade|sec-websocket-.+)$/;

/** Makes a handshake with the headers that the chain set; answers 400 to one that is malformed (RFC 6455, 4.2.1). */
export function handshake(request: Request, headers: Headers, accept: Accept): Response {
  const fields = [...headers].filter(([name]) => !NOT_ITS_OWN.test(name));
  // The `protocol` option of upgradeWebSocket throws on "a,b" without a space.
  const protocol = request.headers.get("sec-websocket-protocol")?.split(",")[0]?.trim() ?? "";
  const upgraded = upgrade(request);
  if (!upgraded) return badHandshake();

  const { socket, response } = upgraded;
  socket.binaryType = "arraybuffer";
  accept(socket, protocol);
  if (protocol) response.headers.set("Sec-WebSocket-Protocol", protocol);
  for (const [name, value] of fields) response.headers.append(name, value);
  return response;
}

function upgrade(request: Request): Deno.WebSocketUpgrade | undefined {
  // Deno looks at neither.
  if (request.method !== "GET" || request.headers.get("sec-websocket-version") !== "13") return undefined;
  try {
    return Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  } catch {
    return undefined;
  }
}

const badHandshake = () =>
  new Response("Bad Request: not a WebSocket handshake", {
    status: 400,
    headers: { "Sec-WebSocket-Version": "13" },
  });
