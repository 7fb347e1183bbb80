/**
 * Leaves the decision about a request's host to the host guard, on Node. Otherwise @hono/node-server would decide:
 * - if no URL can be built from the Host header, it answers by itself, and the request is not logged;
 * - it takes the first of two Host headers, where the guard has to see both;
 * - it believes a request line that names another host than the Host header does ("GET http://evil.com/ HTTP/1.1").
 */
import type { IncomingMessage } from "node:http";
import { fitsInUrl, ORDINARY_HOST } from "../host.ts";
import { schemeOf } from "./visitor.ts";

/** The last host that ORDINARY_HOST matched. The next request nearly always has the same one and needs no match. */
let ordinaryHost = "";

/** Changes a request so that only its Host header names a host, and @hono/node-server can always build a URL of it. */
export function leaveHostToGuard(incoming: IncomingMessage): void {
  const { host = "", upgrade } = incoming.headers;
  if (host !== ordinaryHost && ORDINARY_HOST.test(host)) ordinaryHost = host;
  if (host === ordinaryHost && incoming.url?.startsWith("/") && upgrade === undefined) return;

  const hosts = incoming.headersDistinct["host"]?.join(", ");
  const path = incoming.url?.replace(/^https?:\/\/[^/?#]*/i, "") || "/";
  incoming.headers.host = hosts;
  incoming.url = hosts !== undefined && fitsInUrl(hosts) ? path : `${schemeOf(incoming)}://localhost${path}`;
}
