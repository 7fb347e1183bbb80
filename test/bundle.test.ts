/**
 * The Socket.IO client for browsers, which the service serves below the path of Socket.IO.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { type IncomingHttpHeaders, IncomingMessage, request } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import type { ServiceOptions } from "../src/index.ts";
import { exchange } from "./support/clients.ts";
import { withService } from "./support/service.ts";

const socketio = createRequire(import.meta.url).resolve("socket.io/package.json");
const dist = join(dirname(socketio), "client-dist");
const version: string = JSON.parse(readFileSync(socketio, "utf8")).version;
const FILE = "/socket.io/socket.io.min.js";

const FILES = [
  "socket.io.js",
  "socket.io.min.js",
  "socket.io.esm.min.js",
  "socket.io.msgpack.min.js",
].flatMap((name) => [name, `${name}.map`]);

/** Makes a request without decoding the answer, unlike fetch(). */
async function ask(url: string, headers: Record<string, string> = {}, method = "GET") {
  const asking = request(url, { method, headers, agent: false });
  asking.end();
  const [response] = await once(asking, "response");
  assert.ok(response instanceof IncomingMessage);
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const answered: IncomingHttpHeaders = response.headers;
  return { status: response.statusCode, headers: answered, body: Buffer.concat(chunks) };
}

test("the list of files here is complete: socket.io has no others", () => {
  assert.deepEqual(readdirSync(dist).toSorted(), FILES.toSorted());
});

test("every file and source map is served with its content, its type and socket.io's version as ETag", () =>
  withService({}, async ({ url }) => {
    for (const name of FILES) {
      const { status, headers, body } = await ask(`${url}/socket.io/${name}`);
      assert.equal(status, 200, name);
      assert.deepEqual(body, readFileSync(join(dist, name)), name);
      const type = name.endsWith(".map") ? "application/json" : "application/javascript";
      assert.equal(headers["content-type"], `${type}; charset=utf-8`, name);
      assert.equal(headers["cache-control"], "public, max-age=0", name);
      assert.equal(headers.etag, `"${version}"`, name);
      assert.equal(headers["content-encoding"], undefined, name);
    }
  }));

test("a file is served whatever the query is", () =>
  withService({}, async ({ url }) => {
    assert.deepEqual((await ask(`${url}${FILE}?v=1`)).body, readFileSync(join(dist, "socket.io.min.js")));
  }));

test("a browser that already has this version gets a 304", () =>
  withService({}, async ({ url }) => {
    for (const known of [`"${version}"`, `W/"${version}"`, `"0.0.0", W/"${version}"`]) {
      const { status, headers, body } = await ask(url + FILE, {
        "If-None-Match": known,
        "Accept-Encoding": "gzip",
      });
      assert.deepEqual([status, body.length], [304, 0], known);
      assert.equal(headers.etag, `"${version}"`);
      assert.match(headers.vary ?? "", /\baccept-encoding\b/i);
      assert.equal(headers["content-type"], undefined);
    }
    for (const other of ['"0.0.0"', `"${version}-1"`, version]) {
      assert.equal((await ask(url + FILE, { "If-None-Match": other })).status, 200, other);
    }
  }));

test("a browser that got a compressed file gets a 304 for its ETag too", () =>
  withService({}, async ({ url }) => {
    const headers = { "Accept-Encoding": "gzip" };
    const etag = (await ask(url + FILE, headers)).headers.etag ?? "";
    assert.equal((await ask(url + FILE, { ...headers, "If-None-Match": etag })).status, 304);
  }));

test("HEAD is answered like GET, without the body", () =>
  withService({}, async ({ url }) => {
    const { status, headers, body } = await ask(url + FILE, {}, "HEAD");
    assert.deepEqual([status, body.length], [200, 0]);
    assert.equal(headers["content-type"], "application/javascript; charset=utf-8");
    assert.equal(headers.etag, `"${version}"`);
  }));

describe("compression", () => {
  const plain = (body: Buffer) => body;
  const CASES = [
    { accepted: "gzip, deflate, br", encoding: "gzip", decode: gunzipSync },
    { accepted: "br, gzip", encoding: "br", decode: brotliDecompressSync },
    { accepted: "gzip;q=0.8, BR", encoding: "br", decode: brotliDecompressSync },
    { accepted: "*", encoding: "br", decode: brotliDecompressSync },
    { accepted: "br;q=0, *;q=0.5", encoding: "gzip", decode: gunzipSync },
    { accepted: "*;q=0", encoding: undefined, decode: plain },
    { accepted: "gzip", encoding: "gzip", decode: gunzipSync },
    { accepted: "deflate", encoding: "deflate", decode: inflateSync },
    { accepted: "gzip;q=0.1, deflate;q=0.9", encoding: "deflate", decode: inflateSync },
    { accepted: "gzip;q=0", encoding: undefined, decode: plain },
    { accepted: "identity", encoding: undefined, decode: plain },
    { accepted: "unheard-of", encoding: undefined, decode: plain },
  ];

  for (const { accepted, encoding = "identity", decode } of CASES) {
    test(`a client that accepts "${accepted}" gets ${encoding}`, () =>
      withService({}, async ({ url }) => {
        for (const name of ["socket.io.min.js", "socket.io.js.map"]) {
          const { status, headers, body } = await ask(`${url}/socket.io/${name}`, {
            "Accept-Encoding": accepted,
          });
          assert.equal(status, 200);
          assert.equal(headers["content-encoding"] ?? "identity", encoding);
          assert.match(headers.vary ?? "", /\baccept-encoding\b/i);
          assert.equal(headers.etag, `"${version}"`);
          const content = readFileSync(join(dist, name));
          assert.ok(content.equals(decode(body)), name);
          assert.equal(body.length < content.length, encoding !== "identity");
        }
      }));
  }
});

test("other files are not served, and no path leads out of the folder", () =>
  withService({}, async ({ port }) => {
    const PATHS = [
      "socket.io.esm.js",
      "socket.io.msgpack.js",
      "socket.io.esm.js.map",
      "socket.io.nope.js",
      "socket.io.js.map.map",
      "socket.io.min.min.js",
      "SOCKET.IO.JS",
      "package.json",
      "socket.io.js%00",
      "socket.io.js/x",
      "socket.io.js/",
      "/socket.io.js",
      "..%2fpackage.json",
      "..%2f..%2fpackage.json",
      "%2e%2e%2fpackage.json",
      "..%5cpackage.json",
      "../package.json",
      "../../package.json",
      "socket.io.js/../../package.json",
      "socket.io.js/..%2f..%2fpackage.json",
      "socket.io.%2e%2e%2f%2e%2e%2fpackage.json",
    ];
    for (const path of PATHS) {
      const answer = await exchange(
        port,
        `GET /socket.io/${path} HTTP/1.1\nHost: localhost\nConnection: close\n\n`,
      );
      assert.match(answer, /^HTTP\/1\.1 40[04] /, path);
      assert.ok(answer.length < 1_000, `${path} answered ${answer.length} characters`);
    }
    const posted = `POST ${FILE} HTTP/1.1\nHost: localhost\nContent-Length: 0\nConnection: close\n\n`;
    assert.match(await exchange(port, posted), /^HTTP\/1\.1 404 /);
  }));

test("with serveClient: false, the client's files are not found", () =>
  withService({ socketio: { serveClient: false } }, async ({ url }) => {
    for (const name of FILES) assert.equal((await ask(`${url}/socket.io/${name}`)).status, 404, name);
  }));

test("the files are served where an author has mounted Socket.IO in another place, too", () =>
  withService(
    {},
    ({ app, sockets }) => app.all("/socket.io/*", sockets),
    async ({ url }) => {
      for (const name of FILES) assert.equal((await ask(`${url}/socket.io/${name}`)).status, 200, name);
      assert.equal((await ask(`${url}/socket.io/?EIO=4&transport=polling`)).status, 200);
    },
  ));

test("the files are served below socketio.path", async () => {
  for (const path of ["/live", "/live/", "/a/b"]) {
    await withService({ socketio: { path } }, async ({ url }) => {
      const moved = `${url}${path.replace(/\/$/, "")}/socket.io.js`;
      assert.deepEqual((await ask(moved)).body, readFileSync(join(dist, "socket.io.js")), path);
      assert.equal((await ask(`${url}/socket.io/socket.io.js`)).status, 404, path);
    });
  }
});

describe("CORS", () => {
  const allowing = (options: ServiceOptions, origins: Readonly<Record<string, string | undefined>>) =>
    withService(options, async ({ url }) => {
      for (const [Origin, allowed] of Object.entries(origins)) {
        const { status, headers } = await ask(url + FILE, { Origin });
        assert.equal(status, 200, Origin);
        assert.equal(headers["access-control-allow-origin"], allowed, Origin);
        assert.match(headers.vary ?? "", /\borigin\b/i, Origin);
      }
    });

  test("by default, no page of another origin may read the files", () =>
    allowing({}, { "https://a.com": undefined }));

  test("pages of ALLOWED_ORIGINS may read the files", () =>
    allowing(
      { allowedOrigins: ["https://a.com"] },
      { "https://a.com": "https://a.com", "https://b.com": undefined },
    ));

  test("a list or function in socketio.cors decides as for polling, also with ALLOWED_ORIGINS=*", async () => {
    const expected = { "https://a.com": "https://a.com", "https://b.com": undefined };
    const list = ["https://a.com"];
    await allowing({ allowedOrigins: "*", socketio: { cors: { origin: list } } }, expected);
    await allowing(
      {
        allowedOrigins: "*",
        socketio: { cors: { origin: (origin, answer) => answer(null, list.includes(origin ?? "")) } },
      },
      expected,
    );
  });

  test("a page of another site may load the client as a script, but cannot open a session", () =>
    withService({}, async ({ url }) => {
      const headers = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Dest": "script",
        "Sec-Fetch-Mode": "no-cors",
      };
      assert.equal((await ask(url + FILE, headers)).status, 200);
      assert.equal((await ask(`${url}/socket.io/?EIO=4&transport=polling`, headers)).status, 400);
    }));

  test("pages of the origins that socketio.cors allows may read the files", () =>
    allowing(
      { socketio: { cors: { origin: /\.a\.com$/ } } },
      { "https://x.a.com": "https://x.a.com", "https://a.com": undefined },
    ));
});
