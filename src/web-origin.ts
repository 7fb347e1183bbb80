/**
 * The origin that a client names, or an operator lists, in one form: "ws://Example.org:80/" is "http://example.org".
 */

// A page's origin has no more than this. A URL parser takes more: "http://own.org\@evil.com" for own.org.
const WEB = /^(?:http|ws)(s?):\/\/((?:[a-z0-9._-]+|\[[a-f0-9:.]+\])(?::\d+)?)\/?$/;
const OTHER = /^(null|file:\/\/|(?!(?:http|ws)s?:)[a-z][a-z0-9+.-]*:\/\/[^\s/\\?#@*]+)\/?$/;

/**
 * Writes an origin as a browser does: in lower case, without a default port or a slash at the end, and with "http" for
 * "ws" ("https" for "wss"), which clients outside of browsers send. Origins that are not of the web ("null", "file://",
 * "capacitor://localhost") stay what they are. `undefined` for what is no origin.
 */
export function normalizeOrigin(origin: string): string | undefined {
  const lower = origin.toLowerCase();
  const [, secure, host] = WEB.exec(lower) ?? [];
  if (host === undefined) return OTHER.exec(lower)?.[1];
  const url = `http${secure}://${host}`;
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
