/**
 * Leaves the judgement of a request's host to the host guard. Deno believes a request line that names another host
 * ("GET http://evil.com/ HTTP/1.1"), and builds a URL that is none from a Host header that fits into none.
 */

const ORDINARY = /^[a-z0-9.-]+(?::(?:\d{1,4}|[1-5]\d{4}))?$/;

/** The request itself, or one like it whose URL is valid and has the host of the Host header. */
export function leaveHostToGuard(request: Request): Request {
  const host = request.headers.get("host") ?? "";
  const { url } = request;
  if (ORDINARY.test(host) && url.startsWith(`http://${host}/`)) return request;

  const origin = `http://${fitsInUrl(host) ? host : "localhost"}`;
  const path = url.startsWith(`http://${host}/`)
    ? url.slice(`http://${host}`.length)
    : url.replace(/^https?:\/\/[^/?#]*/i, "");
  return new Request(origin + (path.startsWith("/") ? path : `/${path}`), request);
}

function fitsInUrl(host: string): boolean {
  const url = `http://${host}`;
  return URL.canParse(url) && new URL(url).hostname === host.toLowerCase().replace(/:\d+$/, "");
}
