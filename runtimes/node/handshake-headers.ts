/**
 * Has ws send what the Hono chain set on its answer to a handshake with the 101.
 */
import type { IncomingMessage } from "node:http";
import type { WebSocketServer } from "ws";
import { headerLines } from "./answer.ts";

/** A handshake that is being made. */
interface Handshake extends IncomingMessage {
  chainHeaders?: Headers | undefined;
}

/** Has the handshake of this request made with these headers. */
export function setChainHeaders(incoming: Handshake, headers: Headers): void {
  incoming.chainHeaders = headers;
}

type Args = ConstructorParameters<typeof WebSocketServer>;

/** Completes a class of WebSocket servers. */
export function withChainHeaders(Base: new (...args: Args) => WebSocketServer) {
  return class extends Base {
    constructor(...args: Args) {
      super(...args);
      this.on("headers", (lines, request: Handshake) => {
        if (request.chainHeaders) lines.push(...headerLines(request.chainHeaders));
        request.chainHeaders = undefined; // the request lives as long as its session
      });
    }
  };
}
