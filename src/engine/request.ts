/**
 * A request to the engine, as Socket.IO and authors see it.
 */
import type { IncomingHttpHeaders } from "node:http";
import { targetOf } from "./url.ts";

/** The part of an IncomingMessage that `allowRequest` and Express-style middlewares can rely on. */
export interface RequestLike {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** `socket.request`. */
export interface EngineRequest extends RequestLike {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names are in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly _query: Readonly<Record<string, string>>;
  readonly connection: Connection;
  readonly socket: Connection;
}

interface Connection {
  readonly remoteAddress: string | undefined;
  /** Whether the client uses TLS. */
  readonly encrypted: boolean;
}

/** Describes a request. @param address the client's */
export function describeRequest(
  request: Request,
  query: EngineRequest["_query"],
  address: string | undefined,
): EngineRequest {
  const { method, url } = request;
  const headers: IncomingHttpHeaders = {};
  // On Deno forEach() takes an eighth of what iterating takes.
  request.headers.forEach((value, name) => {
    headers[name] = value;
  });
  const connection = { remoteAddress: address, encrypted: url.startsWith("https:") };
  return { method, url: targetOf(request), headers, _query: query, connection, socket: connection };
}
