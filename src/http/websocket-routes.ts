/**
 * The author's plain WebSocket routes, beside Socket.IO: Hono's `upgradeWebSocket()`, the same on every runtime. The
 * route answers with an empty 200 that stands for the 101, since not every runtime can make a Response with status 101.
 * If the Hono chain ends with that answer, the launcher makes the handshake and connects the WebSocket to the author's
 * listeners. If middleware answers otherwise, the client gets that answer and no WebSocket.
 */
import { Buffer } from "node:buffer";
import type { Context } from "hono";
import { defineWebSocketHelper, type UpgradeWebSocket, WSContext, type WSEvents } from "hono/ws";
import { toResponse } from "../engine/answer.ts";
import { isHandshake, isWellFormed, malformedAnswer } from "../engine/handshake.ts";
import { CloseCode, type Peer, type PeerListener, type Upgrade } from "../engine/peer.ts";
import { isLarger } from "../engine/websocket.ts";
import type { Bindings, WebSocketRoutes } from "../runtime.ts";

/**
 * Hono's `upgradeWebSocket()`, the same on every runtime, for plain WebSocket routes beside Socket.IO. Binary messages
 * arrive as `ArrayBuffer`. What a listener throws is logged, and the WebSocket stays open. Use it instead of the
 * helpers of `hono/bun`, `hono/deno` and `@hono/node-server`, which are not made for a service.
 * @throws {TypeError} on a handshake to an app that `serve()` does not serve
 */
export const upgradeWebSocket: UpgradeWebSocket = defineWebSocketHelper(
  (c: Context<{ Bindings: Partial<Bindings> }>, events) => {
    const header = (name: string) => c.req.header(name);
    if (!isHandshake(c.req.method, header)) return undefined;
    if (!c.env?.hinoko)
      throw new TypeError("upgradeWebSocket() works only in a service that is served with serve()");
    if (!isWellFormed(header)) return toResponse(malformedAnswer());
    c.env.upgrade = c.env.hinoko.routes.upgrade(c, events);
    return c.body(null);
  },
);

/**
 * Chooses the subprotocol of a WebSocket: the first one that the client offers, as ws does on Node. A client that offers
 * subprotocols fails when none is chosen.
 * @returns undefined when the client offers none
 */
export const chooseProtocol = ({ headers }: Request): string | undefined =>
  headers.get("sec-websocket-protocol")?.split(",")[0]?.trim();

/** Is told what a listener of an author's has thrown. @param name of the listener: "onMessage" */
type ReportError = (error: unknown, name: string) => void;

/** Connects the WebSockets of the author's routes to the author's listeners, and keeps those that are open. */
export class RouteSockets implements WebSocketRoutes {
  readonly #maxSize: number;
  readonly #reportError: ReportError;
  readonly #open = new Set<Peer>();
  #isClosed = false;

  /** @param maxSize in bytes; a larger message closes its WebSocket with code 1009 */
  constructor(maxSize: number, reportError: ReportError) {
    this.#maxSize = maxSize;
    this.#reportError = reportError;
  }

  upgrade(c: Context, events: WSEvents): Upgrade {
    const url = new URL(c.req.url);
    const protocol = chooseProtocol(c.req.raw) ?? "";
    // Listeners may read `c.req`, but some runtimes cannot read a request any more once its WebSocket is open.
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
    /** Calls a listener, and reports what it throws. Uncaught, that would end the process. */
    const callListener = async (name: keyof WSEvents, call: () => unknown) => {
      try {
        await call();
      } catch (error) {
        this.#reportError(error, name);
      }
    };
    this.#open.add(peer);
    if (this.#isClosed) peer.close(CloseCode.GOING_AWAY);
    else void callListener("onOpen", () => events.onOpen?.(new Event("open"), context));
    return {
      received: (frame) => {
        if (isLarger(frame, this.#maxSize)) return peer.close(CloseCode.TOO_BIG);
        void callListener("onMessage", () => {
          const data = typeof frame === "string" ? frame : toArrayBuffer(frame);
          return events.onMessage?.(new MessageEvent("message", { data }), context);
        });
      },
      drained() {},
      failed: (error) => {
        void callListener("onError", () =>
          events.onError?.(Object.assign(new Event("error"), { error }), context),
        );
      },
      closed: (code, reason) => {
        this.#open.delete(peer);
        void callListener("onClose", () => events.onClose?.(new RouteCloseEvent(code, reason), context));
      },
    };
  }

  /** Closes all open WebSockets, and any that opens later, with code 1001 ("going away"). */
  close(): void {
    this.#isClosed = true;
    for (const peer of this.#open) peer.close(CloseCode.GOING_AWAY);
  }
}

/** Stands in for CloseEvent, which Node.js does not have before version 23. */
class RouteCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  /** Whether there was a closing handshake. Code 1006 stands for a lost connection (RFC 6455, 7.4.1). */
  readonly wasClean: boolean;

  constructor(code: number, reason: string) {
    super("close");
    this.code = code;
    this.reason = reason;
    this.wasClean = code !== 1006;
  }
}

/** Copies a frame that is a view: the memory behind it may hold other frames too. */
function toArrayBuffer(frame: ArrayBuffer | Uint8Array): ArrayBuffer {
  if (frame instanceof ArrayBuffer) return frame;
  return new Uint8Array(Buffer.from(frame)).buffer;
}
