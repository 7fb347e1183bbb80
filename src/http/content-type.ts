/**
 * The Content-Type of answers for which nobody has named one. Every runtime sends a text as text/plain, but not every
 * Response says so. Where it does not, the type is lost when Hono copies the Response, to set a header after `next()` or
 * to drop the body for HEAD, and the browser then gets application/octet-stream, which it downloads.
 * @see https://github.com/honojs/hono/issues/4286
 * @see https://github.com/oven-sh/bun/pull/42064
 */

/** Names the type of an answer that has a body and no type: text/plain, as @hono/node-server does. */
export function nameType(answer: Response): Response {
  if (answer.headers.has("content-type") || answer.body === null) return answer;
  // A copy, because the headers of a Response from fetch() are immutable.
  const named = new Response(answer.body, answer);
  named.headers.set("Content-Type", "text/plain; charset=UTF-8");
  return named;
}

/** Whether a Response does not say the type of its body here. */
const isTypeHidden = !new Response("").headers.has("content-type");

/**
 * Makes the type of a Blob or a form last when Hono copies the answer: a Response that does not say the type of its body
 * shows such a type, and passes it on to copies, only if its headers were read before the copy is made.
 */
export const keepType: <Answer>(answer: Answer) => Answer = isTypeHidden
  ? (answer) => {
      if (answer instanceof Response) answer.headers.has("content-type");
      else if (answer instanceof Promise) answer.then(keepType, () => {});
      return answer;
    }
  : (answer) => answer;
