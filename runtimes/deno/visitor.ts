/**
 * Tells the guards and Hono's `getConnInfo()` who makes a request on Deno.
 */
import type { ConnInfo } from "hono/conninfo";
import { RequestVisitor } from "../../src/http/visitor.ts";
import type { Bindings } from "../../src/runtime.ts";

/** What `c.env` holds on Deno. */
export interface DenoEnv extends Bindings {
  /** The address of whoever opened the connection. It has no `hostname` if that is a Unix socket. */
  readonly remoteAddr: object;
}

class DenoVisitor extends RequestVisitor {
  readonly #remoteAddr: object;

  constructor(request: Request, remoteAddr: object) {
    super(request);
    this.#remoteAddr = remoteAddr;
  }

  get remote(): ConnInfo["remote"] {
    const address = this.#remoteAddr;
    if (!("hostname" in address)) return {};
    const hostname = String(address.hostname);
    const port = "port" in address ? { port: Number(address.port) } : {};
    return { address: hostname, ...port, addressType: hostname.includes(":") ? "IPv6" : "IPv4" };
  }
}

export const visitor = (request: Request, { remoteAddr }: DenoEnv): RequestVisitor =>
  new DenoVisitor(request, remoteAddr);
