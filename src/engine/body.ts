/**
 * The bodies of requests and answers: read with a limit, compressed where the client takes it.
 */
import { Buffer } from "node:buffer";
import type { Answer } from "./answer.ts";
import type { RequestBody } from "./exchange.ts";

/**
 * Reads a request's body as text; a middleware may have read it before.
 * @param limit in bytes
 * @returns `undefined` for a body above the limit, of which no more than that is kept
 * @throws when the connection is lost
 */
export async function readText(request: RequestBody, limit: number): Promise<string | undefined> {
  const { raw } = request;
  const length = Number(raw.headers.get("content-length") ?? Number.NaN);
  if (length > limit) return undefined;
  if (raw.bodyUsed || length <= limit) {
    const bytes = await request.arrayBuffer();
    // A byte order mark is data like any other, to a Buffer.
    return bytes.byteLength > limit ? undefined : Buffer.from(bytes).toString();
  }
  return readStream(raw.body, limit);
}

/** For a body that does not tell its length. */
async function readStream(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<string | undefined> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let size = 0;
  let text = "";
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > limit) return undefined; // which cancels the stream
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Compresses an answer's body with the first encoding of ours that the client takes, or leaves it. */
export function compress(
  body: Answer["body"],
  accepted: string | undefined,
): { encoding: string; stream: ReadableStream } | undefined {
  if (typeof body !== "string" || typeof CompressionStream === "undefined") return undefined;
  const encoding = (["gzip", "deflate"] as const).find((name) => accepts(accepted ?? "", name));
  if (!encoding) return undefined;
  return { encoding, stream: new Blob([body]).stream().pipeThrough(new CompressionStream(encoding)) };
}

/** Whether an Accept-Encoding header names this encoding, and not with a weight of 0 (RFC 9110, 12.5.3). */
const accepts = (header: string, encoding: string): boolean =>
  header.split(",").some((item) => {
    const [name, weight] = item.split(";");
    return name?.trim().toLowerCase() === encoding && !/^\s*q=0(\.0*)?\s*$/.test(weight ?? "");
  });
