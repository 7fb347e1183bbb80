/**
 * One request to the engine, from its arrival to its answer. `socket.request`, which Socket.IO and authors see, is made
 * only when something asks for it: a poll in a running session does not need it.
 */
import type { Opener, UpgradeEnv } from "./driver.ts";
import { isHandshake } from "./handshake.ts";
import { describeRequest, type EngineRequest } from "./request.ts";
import { readQuery } from "./url.ts";

/** A request whose body can be read even if a middleware has read it before: Hono's request keeps the body. */
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
  /** Who makes the request. */
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
    this.isHandshake = isHandshake(raw.method, (name) => raw.headers.get(name));
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
