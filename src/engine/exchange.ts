/**
 * A request to the engine while it is answered. What Socket.IO and authors see of it is described when somebody looks.
 */
import type { Handshake } from "../realtime/engine.ts";
import { describe, type EngineRequest } from "./request.ts";

/** A request and its body, which a middleware may have read before: Hono's request keeps it. */
export interface Readable {
  readonly raw: Request;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** `Env` is what the runtime's launcher puts into `c.env`. */
export class Exchange<Env extends object = object> {
  readonly raw: Request;
  readonly body: Readable;
  /** `c.env`. */
  readonly env: Env;
  /** Who asks, as the Hono chain saw them. */
  readonly handshake: Handshake;
  readonly query: Readonly<Record<string, string>>;
  /** Whether it is a WebSocket handshake. */
  readonly isHandshake: boolean;
  #request: EngineRequest | undefined;

  constructor(body: Readable, env: Env, handshake: Handshake) {
    const { raw } = body;
    this.raw = raw;
    this.body = body;
    this.env = env;
    this.handshake = handshake;
    this.query = readQuery(raw.url);
    this.isHandshake = raw.method === "GET" && raw.headers.get("upgrade")?.toLowerCase() === "websocket";
  }

  get method(): string {
    return this.raw.method;
  }

  header(name: string): string | undefined {
    return this.raw.headers.get(name) ?? undefined;
  }

  /** `socket.request`. */
  get request(): EngineRequest {
    return (this.#request ??= describe(this.raw, this.query, this.handshake.address));
  }
}

/** The parameters of a URL's query. Of a name that is given twice, the last counts. */
export function readQuery(url: string): Record<string, string> {
  const start = url.indexOf("?") + 1;
  if (start === 0) return {};
  // What has to be decoded is rare; what has not is read in half the time of split() and a pattern.
  if (url.includes("%", start) || url.includes("+", start))
    return Object.fromEntries(new URLSearchParams(url.slice(start)));
  const parameters: Record<string, string> = {};
  for (let at = start; at < url.length; ) {
    const next = url.indexOf("&", at);
    const end = next < 0 ? url.length : next;
    const equals = url.indexOf("=", at);
    if (equals >= at && equals < end) parameters[url.slice(at, equals)] = url.slice(equals + 1, end);
    else if (end > at) parameters[url.slice(at, end)] = "";
    at = end + 1;
  }
  return parameters;
}
