/**
 * Safe defaults for pages: what Django's SecurityMiddleware sends, on every HTML answer that does not say otherwise.
 */

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
};

/** Whether an answer of this type is a page. */
export const isPage = (contentType: unknown): boolean => String(contentType).startsWith("text/html");

/** Adds the secure headers to an answer that is a page. */
export function secure(answer: Response): Response {
  if (!isPage(answer.headers.get("content-type"))) return answer;
  const lacking = Object.entries(PAGE_HEADERS).filter(([name]) => !answer.headers.has(name));
  if (lacking.length === 0) return answer;
  const secured = new Response(answer.body, answer); // the headers of what was fetched cannot be changed
  for (const [name, value] of lacking) secured.headers.set(name, value);
  return secured;
}
