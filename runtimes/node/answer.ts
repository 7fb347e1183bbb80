/**
 * A Response written to a raw socket: what Node leaves of a request that asks for an upgrade.
 */
import { STATUS_CODES } from "node:http";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { endToEndFields } from "../../src/engine/answer.ts";

/** The header lines of an answer, without those of the connection. */
export const headerLines = (headers: Headers): string[] =>
  endToEndFields(headers).map(([name, value]) => `${name}: ${value}`);

/** Writes a whole answer and closes the connection, whose end is the end of the body; as fast as the client reads. */
export async function writeResponse(socket: Duplex, { status, headers, body }: Response): Promise<void> {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    ...headerLines(headers),
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  if (!body) return finish(socket);
  cutWhenLeft(socket);
  await pipeline(Readable.from(body), socket, { end: false }).then(
    () => finish(socket),
    () => socket.destroy(), // the client left, or the body failed half-way
  );
}

/** Ends a connection. No HTTP timeout covers it any more, so a client that does not close it would hold it for ever. */
function finish(socket: Duplex): void {
  socket.end(() => socket.destroy());
}

/** Notices that the client has left while an answer is being written: Node reads the socket no more. */
function cutWhenLeft(socket: Duplex): void {
  socket.once("end", () => socket.destroy());
  socket.resume();
}
