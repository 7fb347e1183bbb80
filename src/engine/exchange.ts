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

/** Nothing that has to be decoded. */
const PLAIN = /^[\w\-.~=&]*$/;

/** The parameters of a URL's query. Of a name that is given twice, the last counts. */
export function readQuery(url: string): Record<string, string> {
  const start = url.indexOf("?") + 1;
  const query = start === 0 ? "" : url.slice(start);
  if (!PLAIN.test(query)) return Object.fromEntries(new URLSearchParams(query));
  const parameters: Record<string, string> = {};
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=");
    if (equals > 0) parameters[pair.slice(0, equals)] = pair.slice(equals + 1);
    else if (pair !== "") parameters[pair] = "";
  }
  return parameters;
}
