/**
 * What the engine and the launchers read from the URL of a request, without making a `URL` of it.
 */

/** The path and query of a request. */
export const targetOf = ({ url }: Request): string => url.slice(url.indexOf("/", url.indexOf("//") + 2));

/** The parameters of a URL's query. Of a name that is given twice, the last counts. */
export function readQuery(url: string): Record<string, string> {
  const start = url.indexOf("?") + 1;
  if (start === 0) return {};
  // What has to be decoded is rare; what has not is read in half the time of split() and a pattern.
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
