/**
 * Replays a request whose body a middleware has read: engine.io reads the body as a stream, which has ended by then.
 */
import { IncomingMessage } from "node:http";

/** Makes a request like `incoming` that streams `body` again. */
export function replayRequest(incoming: IncomingMessage, body: ArrayBuffer): IncomingMessage {
  const replayed = new IncomingMessage(incoming.socket);
  const { method, url, headers, rawHeaders, httpVersion } = incoming;
  // Without `complete`, Node would take the end of this stream for an abort and destroy the connection.
  Object.assign(replayed, { method, url, headers, rawHeaders, httpVersion, complete: true });
  replayed.push(new Uint8Array(body));
  replayed.push(null);
  return replayed;
}
