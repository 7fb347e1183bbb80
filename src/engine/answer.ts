/**
 * The engine's answer to a request, before it becomes a Response: middlewares and listeners may still edit its headers.
 */
import { Buffer } from "node:buffer";

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream;
  /** Whether the body may be compressed. */
  readonly compress?: boolean;
}

/** An answer that says nothing but its status. */
export const emptyAnswer = (status: number): Answer => ({ status, headers: {} });

/** The answer to a POST whose packets were taken. "text/html", since browsers would offer text/plain as a download. */
export const postAnswer = (): Answer => ({
  status: 200,
  headers: bodyHeaders("text/html", "ok"),
  body: "ok",
});

/** The answer to a poll. @param compress whether a packet in it asks to be compressed */
export const pollAnswer = (payload: string, compress: boolean): Answer => ({
  status: 200,
  headers: bodyHeaders("text/plain; charset=UTF-8", payload),
  body: payload,
  compress,
});

const bodyHeaders = (type: string, body: string): Answer["headers"] => ({
  "Content-Type": type,
  "Content-Length": String(Buffer.byteLength(body)),
  "Cache-Control": "no-store",
});

export function toResponse({ status, headers, body }: Answer): Response {
  return new Response(body || null, { status, headers: toInit(headers) });
}

/** Most headers have one value each. A record of them costs less than `Headers`. */
function toInit(headers: Answer["headers"]): Record<string, string> | Headers {
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

/** Fields that describe one connection or the framing of one body (RFC 9110, 7.6.1). */
const CONNECTION_FIELD =
  /^(?:connection|content-length|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|sec-websocket-.+)$/;

/**
 * The fields that the Hono chain has set on an answer, without those of the connection: whoever writes the answer to a
 * raw socket, or makes a handshake, sets these itself.
 */
export const endToEndFields = (headers: Headers): [name: string, value: string][] =>
  [...headers].filter(([name]) => !CONNECTION_FIELD.test(name));
