/**
 * Writes a Response to a raw socket, which is all that Node gives for a request that asks for an upgrade.
 */
import { STATUS_CODES } from "node:http";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { endToEndFields } from "../../src/engine/answer.ts";

/** The header lines of an answer, without those headers that describe the connection: whoever writes it sets these. */
export const headerLines = (headers: Headers): string[] =>
  endToEndFields(headers).map(([name, value]) => `${name}: ${value}`);

/** Writes a Response, as fast as the client reads, and closes the connection: its end marks the end of the body. */
export async function writeResponse(socket: Duplex, { status, headers, body }: Response): Promise<void> {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    ...headerLines(headers),
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  if (!body) return endConnection(socket);
  destroyWhenClientLeaves(socket);
  await pipeline(Readable.from(body), socket, { end: false }).then(
    () => endConnection(socket),
    () => socket.destroy(), // the client has left, or the body has failed halfway
  );
}

/**
 * Ends a connection, and destroys it as soon as everything is sent. After an upgrade no HTTP timeout covers it, so a
 * client that does not close its side would keep it open for ever.
 */
function endConnection(socket: Duplex): void {
  socket.end(() => socket.destroy());
}

/** Destroys a connection whose client leaves while it is written. Nobody reads it now, so Node would not notice. */
function destroyWhenClientLeaves(socket: Duplex): void {
  socket.once("end", () => socket.destroy());
  socket.resume();
}
