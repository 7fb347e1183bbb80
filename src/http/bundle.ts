/**
 * The Socket.IO client for browsers, with its source maps, as socket.io serves it beside its own endpoint.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Context, MiddlewareHandler } from "hono";
import { Hono } from "hono";
import { compress } from "hono/compress";

const FILE = /^socket\.io(?:(?:\.esm|\.msgpack)?\.min)?\.js(?:\.map)?$/;

const socketio = createRequire(import.meta.url).resolve("socket.io/package.json");

/**
 * Serves `socket.io.js`, `.min.js`, `.esm.min.js`, `.msgpack.min.js` and their maps below `path`.
 * The ETag is the client's version: a browser asks again, and is answered 304 until Socket.IO is updated.
 */
export function bundle(path: string, cors: MiddlewareHandler): Hono {
  const files = new Map<string, Promise<string>>();
  const load = (name: string) => {
    const file = files.get(name) ?? readFile(join(dirname(socketio), "client-dist", name), "utf8");
    files.set(name, file);
    return file;
  };
  const version = readFile(socketio, "utf8").then((text) => String(JSON.parse(text).version));

  const serve = async (c: Context, next: () => Promise<void>) => {
    const name = c.req.param("file") ?? "";
    if (!FILE.test(name)) return next();
    const etag = `"${await version}"`;
    c.header("Cache-Control", "public, max-age=0");
    c.header("ETag", etag);
    if (c.req.header("if-none-match")?.replace(/^W\//, "") === etag) return c.body(null, 304);
    const type = name.endsWith(".map") ? "application/json" : "application/javascript";
    return c.body(await load(name), 200, { "Content-Type": `${type}; charset=utf-8` });
  };
  return new Hono().get(`${path}/:file{socket\\.io\\..+}`, cors, compress(), serve);
}
