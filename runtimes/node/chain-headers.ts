/**
 * A WebSocket server of ws's that sends what the Hono chain set on its answer to a handshake with the 101.
 */
import type { IncomingMessage } from "node:http";
import type { WebSocketServer } from "ws";
import { headerLines } from "./raw-response.ts";

/** What the Hono chain set on the answer to each handshake that is being made. */
const chainHeaders = new WeakMap<IncomingMessage, Headers>();

/** Has the next handshake of this request made with these headers. */
export function setChainHeaders(incoming: IncomingMessage, headers: Headers): void {
  chainHeaders.set(incoming, headers);
}

type Args = ConstructorParameters<typeof WebSocketServer>;

/** Completes a class of WebSocket servers. */
export function withChainHeaders(Base: new (...args: Args) => WebSocketServer) {
  return class extends Base {
    constructor(...args: Args) {
      super(...args);
      this.on("headers", (lines, request) => {
        lines.push(...headerLines(chainHeaders.get(request)));
        chainHeaders.delete(request);
      });
    }
  };
}
