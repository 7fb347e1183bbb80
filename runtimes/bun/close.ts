/**
 * How WebSockets end on Bun, in the words and codes of engine.io and ws.
 */

/** Closes without a code, as engine.io does: the client sees 1005. Bun's own default is 1000. */
export const NO_STATUS = 1005;

/** How Bun says that the client violated the protocol, which it has told the client already. */
const VIOLATION = /^Received (?!TCP FIN)/;

/** What the client did wrong, if its WebSocket was closed for that. @param reason of the closing, as Bun gives it */
export function violationOf(reason: string): string | undefined {
  if (!VIOLATION.test(reason)) return undefined;
  return reason === "Received too big message" ? "Max payload size exceeded" : reason;
}
