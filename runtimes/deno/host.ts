/**
 * Leaves the decision about a request's host to the host guard, on Deno. Otherwise Deno would decide:
 * - it gives the request an invalid URL if no URL can be built from the Host header;
 * - it has no Host header for HTTP/2, which every browser speaks over TLS;
 * - it believes a request line that names another host than the Host header does ("GET http://evil.com/ HTTP/1.1").
 */
import { fitsInUrl, ORDINARY_HOST } from "../host.ts";

/** "http" or, over TLS, "https". */
export type Scheme = "http" | "https";

/**
 * The forbidden methods of the Fetch standard. Deno.serve gives such a request, but `new Request()` refuses to copy it.
 */
const FORBIDDEN = /^(?:connect|trace|track)$/i;

/**
 * Returns the request itself if its URL has this scheme and the host of its Host header; otherwise a copy with a valid
 * URL of that kind ("localhost" in place of a host that no URL can be built from).
 * @returns undefined if a copy is needed but cannot be made, because the method is forbidden
 */
export function leaveHostToGuard(request: Request, scheme: Scheme): Request | undefined {
  const named = request.headers.get("host");
  if (named === null && scheme === "https" && !FORBIDDEN.test(request.method)) return addHostHeader(request);
  const host = named ?? "";
  const { url } = request;
  const own = `${scheme}://${host}`;
  if (ORDINARY_HOST.test(host) && url.startsWith(`${own}/`)) return request;
  if (FORBIDDEN.test(request.method)) return undefined;

  const origin = `${scheme}://${fitsInUrl(host) ? host : "localhost"}`;
  const path = url.startsWith(`${own}/`) ? url.slice(own.length) : url.replace(/^https?:\/\/[^/?#]*/i, "");
  return new Request(origin + (path.startsWith("/") ? path : `/${path}`), request);
}

/**
 * Copies a request and adds a Host header with the host of its URL. HTTP/2 names the host in ":authority" (RFC 9113,
 * 8.3.1), and Deno puts that into the URL only. An HTTP/1 request without a Host header cannot be told apart from that:
 * Deno writes "localhost" into its URL, so it gets that host.
 */
function addHostHeader(request: Request): Request {
  if (!URL.canParse(request.url)) return request;
  const { host, pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  headers.set("host", host);
  return new Request(new Request(`https://${host}${pathname}${search}`, request), { headers });
}
