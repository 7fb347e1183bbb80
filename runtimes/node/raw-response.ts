/**
 * A Response written to a raw socket: what Node leaves of a request that asks for an upgrade.
 */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/** Fields of the connection, which belong to whoever writes the answer, not to the Hono chain (RFC 9110, 7.6.1). */
const CONNECTION = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
  "transfer-encoding",
  "upgrade",
]);

/** The header lines of an answer, without those of the connection. */
export function headerLines(headers: Headers | undefined): string[] {
  return [...(headers ?? [])]
    .filter(([name]) => !CONNECTION.has(name))
    .map(([name, value]) => `${name}: ${value}`);
}

/** Writes a whole answer and closes the connection, whose end is the end of the body. */
export async function writeResponse(socket: Duplex, { status, headers, body }: Response): Promise<void> {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    ...headerLines(headers),
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  for await (const chunk of body ?? []) {
    if (socket.destroyed) return;
    socket.write(chunk);
  }
  socket.end();
}
