/**
 * Tells the guards and Hono's `getConnInfo()` who makes a request on Bun.
 */
import type { ConnInfo } from "hono/conninfo";
import { RequestVisitor } from "../../src/http/visitor.ts";
import type { Bindings } from "../../src/runtime.ts";

/** What `c.env` holds on Bun. */
export interface BunEnv extends Bindings {
  readonly server: Bun.Server<unknown>;
  /** The request as Bun gave it: Bun knows the address of this one only, and a route may replace `c.req.raw`. */
  readonly request: Request;
  /**
   * Who opened the connection; set only when the request becomes a WebSocket, because Bun does not tell it any more
   * then.
   */
  remote?: ConnInfo["remote"];
}

class BunVisitor extends RequestVisitor {
  readonly #env: BunEnv;

  constructor(request: Request, env: BunEnv) {
    super(request);
    this.#env = env;
  }

  get remote(): ConnInfo["remote"] {
    return this.#env.remote ?? findRemote(this.#env);
  }
}

function findRemote({ request, server }: BunEnv): ConnInfo["remote"] {
  const found = server.requestIP(request);
  if (!found) return {};
  const { address, port, family } = found;
  return { address, port, addressType: family === "IPv6" ? "IPv6" : "IPv4" };
}

export const visitor = (request: Request, env: BunEnv): RequestVisitor => new BunVisitor(request, env);
