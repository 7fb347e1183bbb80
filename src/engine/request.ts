/**
 * `socket.request`: a request to the engine in the form of Node's IncomingMessage, which Socket.IO and authors expect.
 */
import type { IncomingHttpHeaders } from "node:http";
import { targetOf } from "./url.ts";

/** The part of an IncomingMessage that `allowRequest` and Express-style middlewares can rely on. */
export interface RequestLike {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** `socket.request`, on every runtime whose engine is Hinoko's own. */
export interface EngineRequest extends RequestLike {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** The names are in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The parameters of the query. Socket.IO reads them here for `socket.handshake.query`. */
  readonly _query: Readonly<Record<string, string>>;
  readonly connection: Connection;
  readonly socket: Connection;
}

interface Connection {
  /** The client's IP address, not that of a trusted proxy. */
  readonly remoteAddress: string | undefined;
  /** Whether the request came over TLS. Socket.IO reads it for `socket.handshake.secure`. */
  readonly encrypted: boolean;
}

/** Makes `socket.request` of a Request. @param address the client's IP address */
export function describeRequest(
  request: Request,
  query: EngineRequest["_query"],
  address: string | undefined,
): EngineRequest {
  const { method, url } = request;
  const headers: IncomingHttpHeaders = {};
  // On Deno, forEach() takes an eighth of the time of a for…of loop.
  request.headers.forEach((value, name) => {
    headers[name] = value;
  });
  const connection = { remoteAddress: address, encrypted: url.startsWith("https:") };
  return { method, url: targetOf(request), headers, _query: query, connection, socket: connection };
}
