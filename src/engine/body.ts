/**
 * Reads the bodies of requests, up to a limit, and compresses the bodies of answers for clients that accept it.
 */
import { Buffer } from "node:buffer";
import type { Answer } from "./answer.ts";
import type { RequestBody } from "./exchange.ts";
import type { SilenceWatch, Wait } from "./silence.ts";

/**
 * A body with at most so many bytes is read in one go, which is faster, but does not tell when some of it comes. So all
 * of it has to come within the time for which a client may be silent.
 */
const SMALL = 64 * 1024;

/**
 * Reads a request's body as text, also when a middleware has read it before.
 * @param limit the most bytes that the body may have
 * @param silence ends the reading when the client sends nothing for too long
 * @returns undefined for a larger body, of which never more than the limit is kept in memory
 * @throws {SilenceError} when the client sends nothing for too long
 * @throws the runtime's error when the connection is lost
 */
export async function readText(
  request: RequestBody,
  limit: number,
  silence: SilenceWatch,
): Promise<string | undefined> {
  const { raw } = request;
  const length = Number(raw.headers.get("content-length") ?? Number.NaN);
  if (length > limit) return undefined;
  if (raw.bodyUsed || length <= SMALL) {
    // Only a body that middleware has read comes from Hono's cache of bodies, which fails as soon as other code has put
    // an enumerable property on Object.prototype: it looks for its entries with for…in.
    const bytes = await silence.waitFor(() => (raw.bodyUsed ? request : raw).arrayBuffer());
    // Not with TextDecoder's defaults, which drop a byte order mark: to Engine.IO it is data like any other.
    return bytes.byteLength > limit ? undefined : Buffer.from(bytes).toString();
  }
  return silence.waitFor((wait) => (raw.body ? readStream(raw.body, limit, wait) : Promise.resolve("")));
}

/** Reads a body that is large or without Content-Length, and counts its bytes on the way. */
async function readStream(
  body: ReadableStream<Uint8Array>,
  limit: number,
  wait: Wait,
): Promise<string | undefined> {
  const reader = body.getReader();
  wait.giveUp = () => void reader.cancel().catch(() => {});
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let size = 0;
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    wait.silentChecks = 0;
    size += value.byteLength;
    if (size > limit) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}

/**
 * Compresses an answer's body with gzip or, if the client does not accept that, with deflate.
 * @param accepted the request's Accept-Encoding
 * @returns undefined when the client accepts neither, or when the runtime cannot compress
 */
export function compressBody(
  body: Answer["body"],
  accepted: string | undefined,
): { encoding: string; stream: ReadableStream } | undefined {
  if (typeof body !== "string" || typeof CompressionStream === "undefined") return undefined;
  const encoding = (["gzip", "deflate"] as const).find((name) => acceptsEncoding(accepted ?? "", name));
  if (!encoding) return undefined;
  return { encoding, stream: new Blob([body]).stream().pipeThrough(new CompressionStream(encoding)) };
}

/** Whether an Accept-Encoding header names the encoding, with a weight above 0 (RFC 9110, 12.5.3). */
const acceptsEncoding = (header: string, encoding: string): boolean =>
  header.split(",").some((item) => {
    const [name, weight] = item.split(";");
    return name?.trim().toLowerCase() === encoding && !/^\s*q=0(\.0*)?\s*$/.test(weight ?? "");
  });
