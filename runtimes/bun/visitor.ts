/**
 * Who makes a request, as Bun tells it.
 */
import type { ConnInfo } from "hono/conninfo";
import { RequestVisitor } from "../../src/http/visitor.ts";
import type { Bindings } from "../../src/runtime.ts";

/** What `c.env` has of Bun's. */
export interface BunEnv extends Bindings {
  readonly server: Bun.Server<unknown>;
  /** Kept of a request that becomes a WebSocket: Bun does not tell its address any more. */
  remote?: ConnInfo["remote"];
}

class BunVisitor extends RequestVisitor {
  readonly #env: BunEnv;

  constructor(request: Request, env: BunEnv) {
    super(request);
    this.#env = env;
  }

  get remote(): ConnInfo["remote"] {
    return this.#env.remote ?? askBun(this.request, this.#env.server);
  }
}

function askBun(request: Request, server: Bun.Server<unknown>): ConnInfo["remote"] {
  const found = server.requestIP(request);
  if (!found) return {};
  const { address, port, family } = found;
  return { address, port, addressType: family === "IPv6" ? "IPv6" : "IPv4" };
}

export const visitor = (request: Request, env: BunEnv): RequestVisitor => new BunVisitor(request, env);
