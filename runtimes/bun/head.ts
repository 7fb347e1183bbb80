/**
 * Answers to HEAD on Bun.
 */

/**
 * Keeps Bun from adding "Content-Length: 0" to the answer to a HEAD request, which would be the length of the GET's
 * answer (RFC 9110, 8.6). Bun adds none to a chunked answer, and sends no body for HEAD.
 */
export function omitLength(answer: Response): Response {
  answer.headers.set("Transfer-Encoding", "chunked");
  return answer;
}
