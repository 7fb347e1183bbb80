/**
 * The engine's answer to a request, before it becomes a Response. Until then, middlewares and listeners of "headers"
 * and "initial_headers" may edit its headers.
 */
import { Buffer } from "node:buffer";

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream;
  /** Whether the body may be compressed. */
  readonly canCompress?: boolean;
}

/** Statuses of answers that never have a body, nor a length of one: `new Response()` throws if it gets a body. */
const STATUSES_WITHOUT_BODY = new Set([204, 205, 304]);

/** Whether an answer with this status may have a body. */
export const mayHaveBody = (status: number): boolean => !STATUSES_WITHOUT_BODY.has(status);

/** An answer without headers and body. */
export const emptyAnswer = (status: number): Answer => ({ status, headers: {} });

/** The answer to a request that would open a session where none is opened any more, or not yet. */
export const notServedAnswer = (): Answer => ({
  status: 503,
  headers: { "Content-Type": "text/plain; charset=UTF-8" },
  body: "Socket.IO is not being served",
});

/**
 * The answer to a POST whose packets were received. Its type is "text/html", as engine.io's, because some browsers
 * offer text/plain as a download.
 */
export const postAnswer = (): Answer => ({
  status: 200,
  headers: bodyHeaders("text/html", "ok"),
  body: "ok",
});

/** The answer to a poll. @param canCompress whether one of its packets was sent with the option `compress` */
export const pollAnswer = (payload: string, canCompress: boolean): Answer => ({
  status: 200,
  headers: bodyHeaders("text/plain; charset=UTF-8", payload),
  body: payload,
  canCompress,
});

const bodyHeaders = (type: string, body: string): Answer["headers"] => ({
  "Content-Type": type,
  "Content-Length": String(Buffer.byteLength(body)),
  "Cache-Control": "no-store",
});

export function toResponse({ status, headers, body }: Answer): Response {
  return new Response(body || null, { status, headers: toHeadersInit(headers) });
}

/** Makes a record if each header has one value, as is usual: that costs less than making `Headers`. */
function toHeadersInit(headers: Answer["headers"]): Record<string, string> | Headers {
  const single: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (typeof value !== "string") return toHeaders(headers);
    single[name] = value;
  }
  return single;
}

function toHeaders(headers: Answer["headers"]): Headers {
  const fields = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value].flat()) fields.append(name, one);
  }
  return fields;
}

/** Header fields that belong to one connection or to the framing of one body (RFC 9110, 7.6.1). */
const CONNECTION_FIELD =
  /^(?:connection|content-length|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|sec-websocket-(?!version).+)$/;

/**
 * The header fields of a response without those of the connection. A launcher that writes the response to a raw socket,
 * or makes a handshake, sets the connection's fields itself, and they must not be sent twice.
 */
export const endToEndFields = (headers: Headers): [name: string, value: string][] =>
  [...headers].filter(([name]) => !CONNECTION_FIELD.test(name));
