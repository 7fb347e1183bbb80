/**
 * A request whose body was read by a middleware, as if it had not been: engine.io reads a stream.
 */
import { IncomingMessage } from "node:http";

/** A request like `incoming` that streams `body` again. */
export function replay(incoming: IncomingMessage, body: ArrayBuffer): IncomingMessage {
  const again = new IncomingMessage(incoming.socket);
  const { method, url, headers, rawHeaders, httpVersion } = incoming;
  // "complete", or its end would be taken for an abort and close the connection
  Object.assign(again, { method, url, headers, rawHeaders, httpVersion, complete: true });
  again.push(new Uint8Array(body));
  again.push(null);
  return again;
}
