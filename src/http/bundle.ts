/**
 * The Socket.IO client for browsers, with its source maps, served beside the endpoint as socket.io serves it.
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

/** Compresses in another thread: brotli takes a second for the longest of the files. */
const ENCODINGS = new Map<string, (content: Bytes) => Promise<Bytes>>([
  ["br", promisify(brotliCompress)],
  ["gzip", promisify(gzip)],
  ["deflate", promisify(deflate)],
]);

/** The encoding that a client prefers; of those it likes alike the first it names, as in socket.io. */
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

/** The files of the client, and the ETag of its version. */
interface Client {
  readonly etag: string;
  /** A file, compressed if the encoding is one. */
  read(name: string, encoding: string): Promise<Bytes>;
}

/**
 * Finds the client in the installed package, when it is first asked for: a bundle or a compiled program has no package
 * to find, and must start all the same.
 */
async function findClient(): Promise<Client> {
  // Not imported by its name: the line that esbuild is told to write above a bundle declares a `createRequire` too.
  const manifest = nodeModule.createRequire(import.meta.url).resolve("socket.io/package.json");
  const { version }: { version: string } = JSON.parse(await readFile(manifest, "utf8"));
  const files = new Map<string, Promise<Bytes>>(); // at most eight, in four encodings
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

/** Whether a browser has this version: If-None-Match may list several ETags, and weak ones count too. */
const isKnown = (etag: string, ifNoneMatch = ""): boolean =>
  ifNoneMatch.split(",").some((one) => one.trim().replace(/^W\//, "") === etag);

/**
 * Serves `socket.io.js`, `.min.js`, `.esm.min.js`, `.msgpack.min.js` and their maps below `path`.
 * The ETag is the client's version: a browser asks again, and is answered 304 until Socket.IO is updated.
 * Where the package socket.io cannot be read, as in a bundle or a compiled program, the answer is 404.
 */
export function bundle(path: string, cors: MiddlewareHandler, logger: Logger): Hono {
  let found: Promise<Client> | undefined;
  let isLogged = false;

  const refuse = (c: Context, error: unknown) => {
    const [reason] = String(error).split("\n"); // Node's has the modules that asked below
    if (!isLogged)
      logger.warn(`The Socket.IO client is not served, as package socket.io cannot be read: ${reason}`);
    isLogged = true;
    found = undefined; // the next who asks has it looked for again
    return c.text("The Socket.IO client is not served here", 404);
  };

  const serve = async (c: Context, next: () => Promise<void>) => {
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
      return refuse(c, error);
    }
  };
  return new Hono().get(`${path}/:file{socket\\.io\\..+}`, cors, serve);
}
