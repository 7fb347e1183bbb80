/**
 * Writes origins in one form, so that the Origin header of a client can be compared with the list of an operator:
 * "ws://Example.org:80/" becomes "http://example.org".
 */

// Matches scheme, host and port, and nothing else. A URL parser is too lenient for a guard: it reads
// "http://own.org\@evil.com" as an URL of own.org.
const WEB = /^(?:http|ws)(s?):\/\/((?:[a-z0-9._-]+|\[[a-f0-9:.]+\])(?::\d+)?)\/?$/;
const OTHER = /^(null|file:\/\/|(?!(?:http|ws)s?:)[a-z][a-z0-9+.-]*:\/\/[^\s/\\?#@*]+)\/?$/;

/**
 * Writes an origin as a browser does: in lower case, without a default port and without a slash at the end. Clients
 * outside of browsers send "ws" and "wss" as the scheme, which become "http" and "https". Origins that are not of the
 * web ("null", "file://", "capacitor://localhost") keep their form.
 * @returns undefined for a text that is not an origin
 */
export function normalizeOrigin(origin: string): string | undefined {
  const lower = origin.toLowerCase();
  const [, secure, host] = WEB.exec(lower) ?? [];
  if (host === undefined) return OTHER.exec(lower)?.[1];
  const url = `http${secure}://${host}`;
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
