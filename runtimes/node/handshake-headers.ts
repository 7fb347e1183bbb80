/**
 * Has ws send the headers that the Hono chain has set on its answer to a handshake with the 101. ws has no parameter
 * for them, but emits "headers" before it sends the 101; until then the request carries them.
 */
import type { IncomingMessage } from "node:http";
import type { WebSocketServer } from "ws";
import { headerLines } from "./answer.ts";

/** A handshake that is being made. */
interface Handshake extends IncomingMessage {
  chainHeaders?: Headers | undefined;
}

/** Sets the headers that are sent with the 101 when ws makes the handshake of this request. */
export function setChainHeaders(incoming: Handshake, headers: Headers): void {
  incoming.chainHeaders = headers;
}

type Args = ConstructorParameters<typeof WebSocketServer>;

/** Makes a subclass of a WebSocketServer whose handshakes carry the headers of `setChainHeaders()`. */
export function withChainHeaders(Base: new (...args: Args) => WebSocketServer) {
  return class extends Base {
    constructor(...args: Args) {
      super(...args);
      this.on("headers", (lines, request: Handshake) => {
        if (!request.chainHeaders) return;
        lines.push(...headerLines(request.chainHeaders));
        request.chainHeaders = undefined; // the session keeps its request, and would keep these with it
      });
    }
  };
}
