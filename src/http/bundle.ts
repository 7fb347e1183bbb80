/**
 * Serves the Socket.IO client for browsers and its source maps at `/socket.io/socket.io.js` and so on, as socket.io's
 * own `serveClient` does.
 */
import { readFile } from "node:fs/promises";
import nodeModule from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, deflate, gzip } from "node:zlib";
import type { Context, MiddlewareHandler } from "hono";
import { Hono } from "hono";
import { accepts } from "hono/accepts";
import type { Logger } from "../settings.ts";

const FILE = /^socket\.io(?:(?:\.esm|\.msgpack)?\.min)?\.js(?:\.map)?$/;

type Bytes = Uint8Array<ArrayBuffer>;

/** The asynchronous forms compress in another thread: brotli takes a second for the longest file. */
const ENCODINGS = new Map<string, (content: Bytes) => Promise<Bytes>>([
  ["br", promisify(brotliCompress)],
  ["gzip", promisify(gzip)],
  ["deflate", promisify(deflate)],
]);

/** Chooses the encoding that the client ranks highest. Of equal ones it is the first in the header, as in socket.io. */
const chooseEncoding = (c: Context): string =>
  accepts(c, {
    header: "Accept-Encoding",
    supports: [...ENCODINGS.keys()],
    default: "identity",
    match(accepted, { supports, default: none }) {
      const named = accepted.map(({ type, q }) => ({ type: type.toLowerCase(), q }));
      const others = supports.filter((encoding) => !named.some(({ type }) => type === encoding));
      const choices = named.flatMap(({ type, q }) => (q > 0 ? (type === "*" ? others : [type]) : []));
      return choices.find((type) => supports.includes(type)) ?? none;
    },
  });

/** The files of the Socket.IO client in `client-dist` of the package socket.io. */
interface Client {
  /** The version of socket.io, as an ETag. */
  readonly etag: string;
  /** Reads a file, and compresses it unless the encoding is "identity". */
  read(name: string, encoding: string): Promise<Bytes>;
}

/**
 * Finds the client in the installed package socket.io. This happens at the first request for a file, not while the
 * module loads: a bundle or a compiled program has no such package, and must start all the same.
 */
async function findClient(): Promise<Client> {
  // Do not import { createRequire }: the banner that ESM bundles need declares that name, and two declarations clash.
  const manifest = nodeModule.createRequire(import.meta.url).resolve("socket.io/package.json");
  const { version }: { version: string } = JSON.parse(await readFile(manifest, "utf8"));
  const files = new Map<string, Promise<Bytes>>(); // eight files in four encodings at the most
  const read: Client["read"] = (name, encoding) => {
    const key = `${name} ${encoding}`;
    const compress = ENCODINGS.get(encoding);
    const load = compress
      ? async () => compress(await read(name, "identity"))
      : async (): Promise<Bytes> => readFile(join(dirname(manifest), "client-dist", name));
    const file = files.get(key) ?? load();
    files.set(key, file);
    return file;
  };
  return { etag: `"${version}"`, read };
}

/** Whether the browser already has this version. If-None-Match may list several ETags, and weak ones match as well. */
const isKnown = (etag: string, ifNoneMatch = ""): boolean =>
  ifNoneMatch.split(",").some((one) => one.trim().replace(/^W\//, "") === etag);

/**
 * Creates the routes for `socket.io.js`, `.min.js`, `.esm.min.js`, `.msgpack.min.js` and their maps below `path`.
 * Browsers revalidate a file before each use, and get a 304 as long as the version of socket.io, its ETag, is the same.
 * Where the package socket.io cannot be read, as in a bundle or a compiled program, a file is answered 404, and one
 * warning is logged.
 */
export function createClientRoutes(path: string, cors: MiddlewareHandler, logger: Logger): Hono {
  let found: Promise<Client> | undefined;
  let isLogged = false;

  const refuseFile = (c: Context, error: unknown) => {
    const [reason] = String(error).split("\n"); // Node's message goes on with the stack of modules that required it
    if (!isLogged)
      logger.warn(`The Socket.IO client is not served, because package socket.io cannot be read: ${reason}`);
    isLogged = true;
    found = undefined; // so that the next request looks for the package again
    return c.text("The Socket.IO client is not served here", 404);
  };

  const serveFile = async (c: Context, next: () => Promise<void>) => {
    const name = c.req.param("file") ?? "";
    if (!FILE.test(name)) return next();
    try {
      found ??= findClient();
      const client = await found;
      const encoding = chooseEncoding(c);
      const isFresh = isKnown(client.etag, c.req.header("if-none-match"));
      const body = isFresh ? null : await client.read(name, encoding);
      c.header("Cache-Control", "public, max-age=0");
      c.header("ETag", client.etag);
      c.header("Vary", "Accept-Encoding", { append: true });
      if (!body) return c.body(null, 304);
      if (encoding !== "identity") c.header("Content-Encoding", encoding);
      const type = name.endsWith(".map") ? "application/json" : "application/javascript";
      return c.body(body, 200, { "Content-Type": `${type}; charset=utf-8` });
    } catch (error) {
      return refuseFile(c, error);
    }
  };
  return new Hono().get(`${path}/:file{socket\\.io\\..+}`, cors, serveFile);
}
