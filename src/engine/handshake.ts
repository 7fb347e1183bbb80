/**
 * What a WebSocket handshake is, the same on every runtime (RFC 6455, 4.2.1). Only the version of HTTP is not checked:
 * not every runtime tells it.
 */
import type { Answer } from "./answer.ts";

/** Reads a header of a request, whose values are joined with commas if it is given more than once. */
type ReadHeader = (name: string) => string | null | undefined;

/** Whether a comma-separated list has a token. @param token in lower case */
const hasToken = (list: string | null | undefined, token: string): boolean =>
  list !== null &&
  list !== undefined &&
  list
    .toLowerCase()
    .split(",")
    .some((item) => item.trim() === token);

/**
 * Whether a request asks for a WebSocket. Without "upgrade" in Connection the offer is not for this server (RFC 9110, 7.8),
 * and the request is like any other.
 */
export const isHandshake = (method: string, header: ReadHeader): boolean =>
  method === "GET" && hasToken(header("upgrade"), "websocket") && hasToken(header("connection"), "upgrade");

/** 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

/** Whether a handshake has what the protocol demands of it: the version, a key, and no subprotocol twice. */
export function isWellFormed(header: ReadHeader): boolean {
  if (header("sec-websocket-version") !== "13" || !KEY.test(header("sec-websocket-key") ?? "")) return false;
  const protocols = header("sec-websocket-protocol")
    ?.split(",")
    .map((name) => name.trim());
  return (
    !protocols ||
    (new Set(protocols).size === protocols.length && protocols.every((name) => TOKEN.test(name)))
  );
}

/** The answer to a handshake that is not well-formed. It names the version that is spoken (RFC 6455, 4.4). */
export const malformedAnswer = (): Answer => ({
  status: 400,
  headers: { "Content-Type": "text/plain; charset=UTF-8", "Sec-WebSocket-Version": "13" },
  body: "Bad Request: not a WebSocket handshake",
});
