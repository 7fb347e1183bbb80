/**
 * Security headers for pages: every HTML answer gets those that Django's SecurityMiddleware sends, unless the author has
 * set them.
 */

/** The headers, with the values that a page gets by default. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
};

/** Whether an answer with this Content-Type is a page. */
export const isPage = (contentType: unknown): boolean => String(contentType).startsWith("text/html");

/** Adds the security headers that a page lacks. Answers of other types stay as they are. */
export function addPageHeaders(answer: Response): Response {
  if (!isPage(answer.headers.get("content-type"))) return answer;
  const lacking = Object.entries(PAGE_HEADERS).filter(([name]) => !answer.headers.has(name));
  if (lacking.length === 0) return answer;
  // A copy, because the headers of a Response from fetch() are immutable.
  const secured = new Response(answer.body, answer);
  for (const [name, value] of lacking) secured.headers.set(name, value);
  return secured;
}
