/**
 * Reads the parts of a request's URL that the engine and the launchers need, without making a `URL` object, which would
 * be slow for each request.
 */

/** Returns the path and the query of a request, as they are in its URL. */
export const targetOf = ({ url }: Request): string => url.slice(url.indexOf("/", url.indexOf("//") + 2));

/** Reads the parameters of a URL's query. If a name occurs twice, the last one counts. */
export function readQuery(url: string): Record<string, string> {
  const start = url.indexOf("?") + 1;
  if (start === 0) return {};
  // Few queries need decoding. The others are read by index below, in half the time of split() and a regular
  // expression.
  if (url.includes("%", start) || url.includes("+", start))
    return Object.fromEntries(new URLSearchParams(url.slice(start)));
  const parameters: Record<string, string> = {};
  for (let at = start; at < url.length; ) {
    const next = url.indexOf("&", at);
    const end = next < 0 ? url.length : next;
    const equals = url.indexOf("=", at);
    if (equals >= at && equals < end) parameters[url.slice(at, equals)] = url.slice(equals + 1, end);
    else if (end > at) parameters[url.slice(at, end)] = "";
    at = end + 1;
  }
  return parameters;
}
