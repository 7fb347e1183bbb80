/**
 * Leaves the judgement of a request's host to the host guard. Deno believes a request line that names another host
 * ("GET http://evil.com/ HTTP/1.1"), builds a URL that is none from a Host header that fits into none, and has none
 * for HTTP/2, which every browser speaks over TLS.
 */
import { fitsInUrl, ORDINARY } from "../host.ts";

/** "http" or, over TLS, "https". */
export type Scheme = "http" | "https";

/** Fetch's forbidden methods: Deno.serve takes such a request, but no Request can be made of one. */
const FORBIDDEN = /^(?:connect|trace|track)$/i;

/**
 * The request itself, or one like it whose URL is valid and has this scheme and the host of the Host header.
 * `undefined` where none can be made: a forbidden method with a target or a host out of the ordinary.
 */
export function leaveHostToGuard(request: Request, scheme: Scheme): Request | undefined {
  const named = request.headers.get("host");
  if (named === null && scheme === "https" && !FORBIDDEN.test(request.method)) return withHost(request);
  const host = named ?? "";
  const { url } = request;
  const own = `${scheme}://${host}`;
  if (ORDINARY.test(host) && url.startsWith(`${own}/`)) return request;
  if (FORBIDDEN.test(request.method)) return undefined;

  const origin = `${scheme}://${fitsInUrl(host) ? host : "localhost"}`;
  const path = url.startsWith(`${own}/`) ? url.slice(own.length) : url.replace(/^https?:\/\/[^/?#]*/i, "");
  return new Request(origin + (path.startsWith("/") ? path : `/${path}`), request);
}

/**
 * HTTP/2 names the host in ":authority" (RFC 9113, 8.3.1), which Deno puts into the URL alone. An HTTP/1 request that
 * names no host looks the same, with Deno's "localhost" in the URL.
 */
function withHost(request: Request): Request {
  if (!URL.canParse(request.url)) return request;
  const { host, pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  headers.set("host", host);
  return new Request(new Request(`https://${host}${pathname}${search}`, request), { headers });
}
