/**
 * Which Host headers a URL can be built from: what the launchers ask before they leave the host to the guard.
 */

/** A Host header as it comes nearly always, which fits into any URL as it is. */
export const ORDINARY = /^[a-z0-9.-]+(?::(?:\d{1,4}|[1-5]\d{4}))?$/;

/** Whether a URL with this host is valid, and names no other. */
export function fitsInUrl(host: string): boolean {
  const url = `http://${host}`;
  return URL.canParse(url) && new URL(url).hostname === host.toLowerCase().replace(/:\d+$/, "");
}
