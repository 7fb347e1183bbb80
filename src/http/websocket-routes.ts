/**
 * Plain WebSocket routes of the author's, beside Socket.IO: Hono's `upgradeWebSocket()`, the same on every runtime. The
 * route answers with an empty 200 that stands for the 101; when the Hono chain has run to its end with that answer, the
 * launcher makes the handshake and puts the WebSocket under the author's listeners.
 */
import { Buffer } from "node:buffer";
import type { Context } from "hono";
import { defineWebSocketHelper, type UpgradeWebSocket, WSContext, type WSEvents } from "hono/ws";
import { CloseCode, type Peer, type PeerListener, type Upgrade } from "../engine/peer.ts";
import { isLarger } from "../engine/websocket.ts";
import type { Bindings, WebSocketRoutes } from "../runtime.ts";
import type { Logger } from "../settings.ts";

/** Hono's `upgradeWebSocket()` on every runtime, for plain WebSocket routes beside Socket.IO. */
export const upgradeWebSocket: UpgradeWebSocket = defineWebSocketHelper(
  (c: Context<{ Bindings: Partial<Bindings> }>, events) => {
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return undefined;
    if (!c.env?.hinoko) throw new TypeError("upgradeWebSocket() needs a service that serve() serves");
    c.env.upgrade = c.env.hinoko.routes.upgrade(c, events);
    return c.body(null);
  },
);

/** The open WebSockets of one mounted service's routes. */
export class RouteSockets implements WebSocketRoutes {
  readonly #maxSize: number;
  readonly #logger: Logger;
  readonly #open = new Set<Peer>();
  #isClosed = false;

  /** @param maxSize the most bytes that a message may have */
  constructor(maxSize: number, logger: Logger) {
    this.#maxSize = maxSize;
    this.#logger = logger;
  }

  upgrade(c: Context, events: WSEvents): Upgrade {
    const url = new URL(c.req.url);
    const protocol = c.req.header("sec-websocket-protocol")?.split(",")[0]?.trim() ?? "";
    // Some runtimes cannot read a request any more that has become a WebSocket; the author's listeners may want to.
    c.req.raw = new Request(url, { headers: [...c.req.raw.headers] });
    return { connect: (peer) => this.#connect(peer, events, { url, protocol }) };
  }

  #connect(peer: Peer, events: WSEvents, { url, protocol }: { url: URL; protocol: string }): PeerListener {
    const context = new WSContext({
      url,
      protocol,
      raw: peer.raw,
      get readyState() {
        return peer.readyState;
      },
      send: (data) => peer.send(data instanceof ArrayBuffer ? new Uint8Array(data) : data),
      close: (code, reason) => peer.close(code, reason),
    });
    /** Calls a listener of the author's. What it throws must not reach the runtime: it would end the process. */
    const tell = async (call: () => unknown) => {
      try {
        await call();
      } catch (error) {
        this.#logger.error(error);
      }
    };
    this.#open.add(peer);
    if (this.#isClosed) peer.close(CloseCode.GOING_AWAY);
    else void tell(() => events.onOpen?.(new Event("open"), context));
    return {
      received: (frame) => {
        if (isLarger(frame, this.#maxSize)) return peer.close(CloseCode.TOO_BIG);
        const data = typeof frame === "string" ? frame : toArrayBuffer(frame);
        void tell(() => events.onMessage?.(new MessageEvent("message", { data }), context));
      },
      drained() {},
      failed: (error) => {
        void tell(() => events.onError?.(Object.assign(new Event("error"), { error }), context));
      },
      closed: (code, reason) => {
        this.#open.delete(peer);
        void tell(() => events.onClose?.(new RouteCloseEvent(code, reason), context));
      },
    };
  }

  /** Closes them all: the server goes away. */
  close(): void {
    this.#isClosed = true;
    for (const peer of this.#open) peer.close(CloseCode.GOING_AWAY);
  }
}

/** Node.js before 23 has no CloseEvent. */
class RouteCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  /** Whether there was a closing handshake: 1006 stands for a connection that was lost (RFC 6455, 7.4.1). */
  readonly wasClean: boolean;

  constructor(code: number, reason: string) {
    super("close");
    this.code = code;
    this.reason = reason;
    this.wasClean = code !== 1006;
  }
}

/** The bytes alone: a frame may be a view of a larger piece of memory. */
function toArrayBuffer(frame: ArrayBuffer | Uint8Array): ArrayBuffer {
  if (frame instanceof ArrayBuffer) return frame;
  return new Uint8Array(Buffer.from(frame)).buffer;
}
