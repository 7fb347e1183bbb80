/**
 * A request to the engine while it is answered. What Socket.IO and authors see of it is described when somebody looks.
 */
import type { Handshake } from "../realtime/engine.ts";
import { describe, type EngineRequest } from "./request.ts";
import { readQuery } from "./url.ts";

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
