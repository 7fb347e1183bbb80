/**
 * Who makes a request, as Deno tells it.
 */
import type { ConnInfo } from "hono/conninfo";
import { RequestVisitor } from "../../src/http/visitor.ts";
import type { Bindings } from "../../src/runtime.ts";

/** What `c.env` has of Deno's. */
export interface DenoEnv extends Bindings {
  /** Of whoever opened the connection; without a `hostname` on sockets that are none of the network's. */
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
