/**
 * Tells which Host headers a URL can be built from. The launchers ask this before they build a request's URL, so that
 * the host guard decides about every host, and not the code that builds the URL.
 */

/** Matches nearly every Host header that comes: one that can be put into a URL unchanged, without a closer look. */
export const ORDINARY_HOST = /^[a-z0-9.-]+(?::(?:\d{1,4}|[1-5]\d{4}))?$/;

/** Whether a URL built with this host is valid and still names this host, and not another one ("a@b" would name b). */
export function fitsInUrl(host: string): boolean {
  const url = `http://${host}`;
  return URL.canParse(url) && new URL(url).hostname === host.toLowerCase().replace(/:\d+$/, "");
}
