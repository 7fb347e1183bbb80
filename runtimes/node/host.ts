/**
 * Leaves the judgement of a request's host to the host guard. @hono/node-server would answer a host that fits into no
 * URL itself, unlogged; take the first of two in a handshake; and believe a request line that names another host
 * ("GET http://evil.com/ HTTP/1.1").
 */
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { fitsInUrl, ORDINARY } from "../host.ts";

/** The last host that was found to be ordinary: the next is the same nearly always. */
let ordinary = "";

/** Brings a request into the form in which the Host header alone names the host, and the URL can be built. */
export function leaveHostToGuard(incoming: IncomingMessage): void {
  const { host = "", upgrade } = incoming.headers;
  if (host !== ordinary && ORDINARY.test(host)) ordinary = host;
  if (host === ordinary && incoming.url?.startsWith("/") && upgrade === undefined) return;

  const hosts = incoming.headersDistinct["host"]?.join(", ");
  const scheme = incoming.socket instanceof TLSSocket ? "https" : "http";
  const path = incoming.url?.replace(/^https?:\/\/[^/?#]*/i, "") || "/";
  incoming.headers.host = hosts;
  incoming.url = hosts !== undefined && fitsInUrl(hosts) ? path : `${scheme}://localhost${path}`;
}
