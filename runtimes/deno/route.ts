/**
 * What routes and guards ask of Deno.
 */
import type { Context } from "hono";
import type { ConnInfo } from "hono/conninfo";
import { getConnInfo as askDeno } from "hono/deno";
import { RequestVisitor } from "../../src/http/visitor.ts";
import type { Bindings } from "../../src/runtime.ts";

/** What `c.env` has of Deno's. */
export interface DenoEnv extends Bindings {
  /** Of whoever opened the connection; without a `hostname` on sockets that are none of the network's. */
  readonly remoteAddr: object;
}

export const visitor = (request: Request, { remoteAddr }: DenoEnv): RequestVisitor =>
  new RequestVisitor(request, () => ("hostname" in remoteAddr ? String(remoteAddr.hostname) : undefined));

/** Hono's own tells no `addressType` on Deno. */
export function getConnInfo(c: Context): ConnInfo {
  const { remote } = askDeno(c);
  return { remote: { ...remote, addressType: remote.address?.includes(":") ? "IPv6" : "IPv4" } };
}
