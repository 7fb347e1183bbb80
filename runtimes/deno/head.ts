/**
 * Answers to HEAD on Deno.
 */

/**
 * Keeps Deno from adding "Content-Length: 0" to the answer to a HEAD request, which would be the length of the GET's
 * answer (RFC 9110, 8.6). Deno does not know the length of a stream, and sends no body for HEAD.
 */
export const omitLength = (answer: Response): Response => new Response(new ReadableStream(), answer);
