/**
 * A request to the engine while it is answered. What Socket.IO and authors see of it is described when somebody looks.
 */
import type { Opener, UpgradeEnv } from "./driver.ts";
import { describeRequest, type EngineRequest } from "./request.ts";
import { readQuery } from "./url.ts";

/** A request and its body. A middleware may have read the body before: Hono's request keeps it. */
export interface RequestBody {
  readonly raw: Request;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** `Env` is what the runtime's launcher puts into `c.env`. */
export class Exchange<Env extends UpgradeEnv = UpgradeEnv> {
  readonly raw: Request;
  readonly body: RequestBody;
  /** `c.env`. */
  readonly env: Env;
  /** Who asks, as the Hono chain saw them. */
  readonly opener: Opener;
  readonly query: Readonly<Record<string, string>>;
  /** Whether it is a WebSocket handshake. */
  readonly isHandshake: boolean;
  #request: EngineRequest | undefined;

  constructor(body: RequestBody, env: Env, opener: Opener) {
    const { raw } = body;
    this.raw = raw;
    this.body = body;
    this.env = env;
    this.opener = opener;
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
    return (this.#request ??= describeRequest(this.raw, this.query, this.opener.address));
  }
}
