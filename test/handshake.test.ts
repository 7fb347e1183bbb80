/**
 * WebSocket handshakes work the same on every runtime: the request runs through the Hono chain, then the route that
 * accepted it gets the WebSocket, however late the chain answers and whatever headers it sets.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { WebSocket } from "ws";
import { createService, type Service, upgradeWebSocket } from "../src/index.ts";
import type { Servable } from "../src/serve.ts";
import { connect, exchange, handshake } from "./support/clients.ts";
import { allGone, POLLING, WEBSOCKET } from "./support/engine-client.ts";
import { runtime, serve } from "./support/runtime.ts";
import { QUIET, withService } from "./support/service.ts";
import { inTime } from "./support/until.ts";

/** Delays a service: its Hono app gets each request, and answers it, some turns of the event loop later. */
const delayed = (service: Service): Servable => ({
  settings: service.settings,
  io: service.io,
  mount: (runtime) => {
    const mounted = service.mount(runtime);
    const fetch: typeof mounted.fetch = async (request, env) => {
      for (let turn = 0; turn < 3; turn++) await nextTurn();
      const answer = await mounted.fetch(request, env);
      for (let turn = 0; turn < 3; turn++) await nextTurn();
      return answer;
    };
    return { ...mounted, fetch };
  },
});

test("a delay on either side of the Hono app changes nothing", async () => {
  const service = createService(QUIET);
  service.app.use("/socket.io/*", async (c, next) => {
    if (c.req.query("user") !== "ann") return c.text("who are you?", 401);
    await next();
    c.header("X-User", "ann");
    return undefined;
  });
  service.app.get(
    "/ws",
    upgradeWebSocket(() => ({ onMessage: (event, socket) => socket.send(String(event.data)) })),
  );
  service.io.on("connection", (socket) => {
    socket.on("echo", (value, ack) => ack(value));
  });
  const listening = await serve(delayed(service));
  const ws = listening.url.replace(/^http/, "ws");
  try {
    for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
      const client = await connect(listening.url, { transports, query: { user: "ann" } });
      assert.equal(await client.emitWithAck("echo", "火"), "火", transports.join());
      client.disconnect();
    }
    const refused = await handshake(ws + WEBSOCKET);
    assert.deepEqual([refused.status, refused.body], [401, "who are you?"]);
    const made = await handshake(`${ws}${WEBSOCKET}&user=ann`);
    assert.equal(made.headers["x-user"], "ann");
    made.socket?.close();
    assert.equal((await fetch(`${listening.url}${POLLING}&user=ann`)).headers.get("x-user"), "ann");

    const { socket, greeting } = await handshake(`${ws}/ws`);
    socket?.send("hello");
    assert.equal(await inTime("the echo of the author's route", greeting), "hello");
    socket?.close();
  } finally {
    service.io.engine.close();
    await listening.close();
  }
});

test("the 101 has the headers that the chain set, except those about the connection or the body", () =>
  withService(
    {},
    ({ app }) => {
      app.use(async (c, next) => {
        await next();
        c.header("X-Chain", "set");
        for (const name of ["Content-Length", "Keep-Alive", "Proxy-Connection", "TE", "Trailer"])
          c.header(name, "1");
      });
      app.get(
        "/ws",
        upgradeWebSocket(() => ({})),
      );
    },
    async ({ ws }) => {
      for (const path of [WEBSOCKET, "/ws"]) {
        const { status, headers, socket } = await handshake(ws + path);
        assert.deepEqual([status, headers["x-chain"]], [101, "set"], path);
        assert.equal(headers["connection"]?.toString().toLowerCase(), "upgrade", path);
        for (const name of ["content-length", "keep-alive", "proxy-connection", "te", "trailer"])
          assert.equal(headers[name], undefined, `${path} ${name}`);
        socket?.close();
      }
    },
  ));

/** The fields that a handshake has to have. */
const FIELDS = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** Fields that are added or replaced, or left out if they are undefined. */
type Changes = Readonly<Record<string, string | undefined>>;

/** Makes a handshake, and resolves with the beginning of the answer. */
async function answerTo(port: number, target: string, changed: Changes): Promise<string> {
  const fields = Object.entries({ Host: "localhost", ...FIELDS, ...changed });
  const lines = fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  const socket = connectTcp(port, "127.0.0.1");
  socket.write([`GET ${target} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
  let answer = "";
  for await (const chunk of socket) {
    answer += String(chunk);
    if (answer.includes("\r\n\r\n")) break; // which destroys the connection
  }
  return answer;
}

const MADE = /^HTTP\/1\.1 101 /;
const REFUSED = /^HTTP\/1\.1 400 [^]*sec-websocket-version: 13\r\n/i;

interface Group {
  readonly title: string;
  /** What the Socket.IO route and an author's route answer. */
  readonly expected: readonly [socketIo: RegExp, route: RegExp];
  readonly cases: readonly [what: string, changed: Changes][];
}

const GROUPS: readonly Group[] = [
  {
    title: "is made",
    expected: [MADE, MADE],
    cases: [
      ["with other capitals", { Connection: "UPGRADE", Upgrade: "WebSocket" }],
      ["with a list in Connection", { Connection: "keep-alive, Upgrade" }],
      ["with a list in Upgrade", { Upgrade: "h2c, websocket" }],
    ],
  },
  {
    title: "is refused, and told the version that is spoken,",
    expected: [REFUSED, REFUSED],
    cases: [
      ["without a key", { "Sec-WebSocket-Key": undefined }],
      ["with a key of another length", { "Sec-WebSocket-Key": "abc" }],
      ["with a key that is not base64", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ!==" }],
      ["with two keys", { "sec-websocket-key": FIELDS["Sec-WebSocket-Key"] }],
      ["without a version", { "Sec-WebSocket-Version": undefined }],
      ["with version 8", { "Sec-WebSocket-Version": "8" }],
      ["with a subprotocol twice", { "Sec-WebSocket-Protocol": "a, a" }],
      ["with an empty subprotocol", { "Sec-WebSocket-Protocol": "a,,b" }],
    ],
  },
  {
    title: "is taken for a request like any other",
    expected: [/^HTTP\/1\.1 400 [^]*application\/json/, /^HTTP\/1\.1 200 /],
    cases: [
      ["without Connection", { Connection: undefined }],
      ["with another Connection", { Connection: "keep-alive" }],
      ["with another protocol in Upgrade", { Upgrade: "websocket/13" }],
    ],
  },
];

for (const { title, expected, cases } of GROUPS) {
  for (const [what, changed] of cases) {
    for (const place of ["directly", "behind a middleware"]) {
      test(`a handshake ${title} ${what}, ${place}`, () =>
        withService(
          {},
          ({ app }) => {
            if (place !== "directly") app.use((_, next) => next());
            const upgrade = upgradeWebSocket(() => ({}));
            app.get("/ws", upgrade, (c) => c.text("no handshake"));
          },
          async ({ port, service: { io } }) => {
            for (const [index, target] of [WEBSOCKET, "/ws"].entries())
              assert.match(
                await inTime("an answer", answerTo(port, target, changed)),
                expected[index] ?? /^$/,
              );
            await allGone(io.engine);
          },
        ));
    }
  }
}

test("the path of Socket.IO ends with a slash, as engine.io's does", () =>
  withService({}, async ({ port, url }) => {
    for (const path of ["/socket.io", "/socket.io/x", "/socket.io//"]) {
      assert.equal((await fetch(`${url}${path}?EIO=4&transport=polling`)).status, 404, path);
      assert.match(await answerTo(port, `${path}?EIO=4&transport=websocket`, {}), /^HTTP\/1\.1 404 /, path);
    }
  }));

const OFFERS = [
  "Upgrade: h2c\nConnection: Upgrade, HTTP2-Settings\nHTTP2-Settings: AAMAAABk\n",
  "Upgrade: TLS/1.0\n",
];

// Deno itself answers such a request with 400, before the service sees it.
for (const offer of runtime === "deno" ? [] : OFFERS) {
  const [name = ""] = offer.split("\n");

  test(`a request with "${name}" keeps its body, chunked or not`, () =>
    withService(
      {},
      ({ app }) => app.post("/echo", async (c) => c.text(`got ${await c.req.text()}`)),
      async ({ port, url }) => {
        const head = `POST /echo HTTP/1.1\nHost: localhost\nConnection: Upgrade, close\n${offer}`;
        const long = "x".repeat(300_000);
        for (const [form, text] of [
          ["Content-Length: 5\n\nhello", "hello"],
          ["Transfer-Encoding: chunked\n\n3\nhel\n2\nlo\n0\n\n", "hello"],
          [`Content-Length: ${long.length}\n\n${long}`, long],
        ] as const) {
          const answer = await exchange(port, head + form);
          assert.match(answer, /^HTTP\/1\.1 200 /);
          assert.ok(answer.includes(`got ${text}`), answer.slice(0, 200));
        }
        const { sid } = JSON.parse((await (await fetch(url + POLLING)).text()).slice(1));
        const target = `${POLLING}&sid=${sid}`;
        const posted = `POST ${target} HTTP/1.1\nHost: localhost\nConnection: Upgrade, close\n${offer}`;
        assert.match(await exchange(port, `${posted}Content-Length: 2\n\n40`), /\r\n\r\n(?:2\r\n)?ok/);
        assert.match(await (await fetch(url + target)).text(), /^40\{"sid":/);
      },
    ));
}

test("an author's WebSocket route gets text as strings, bytes as ArrayBuffers, and the close code", () =>
  withService(
    {},
    ({ app, io }) => {
      app.get(
        "/ws",
        upgradeWebSocket(() => ({
          onMessage: ({ data }, socket) => {
            if (data instanceof ArrayBuffer) socket.send(data.slice(1));
            else socket.send(`${typeof data} ${String(data)}, ${socket.readyState}`);
          },
          onClose: ({ code, reason, wasClean }) => io.emit("ended", code, reason, wasClean),
        })),
      );
    },
    async ({ ws, url }) => {
      const client = await connect(url);
      const ended = new Promise((resolve) => client.once("ended", (...args) => resolve(args)));
      const socket = new WebSocket(`${ws}/ws`);
      await once(socket, "open");
      socket.send("火");
      assert.equal(String((await once(socket, "message"))[0]), "string 火, 1");
      socket.send(Uint8Array.of(1, 2, 3));
      const [data, isBinary] = await once(socket, "message");
      assert.deepEqual([[...data], isBinary], [[2, 3], true]);
      socket.close(4001, "enough");
      assert.deepEqual(await inTime("onClose", ended), [4001, "enough", true]);
      client.disconnect();
    },
  ));

test("an error thrown by a listener of an author's WebSocket route is logged, and the WebSocket stays open", async () => {
  const logged: string[] = [];
  const logger = { info() {}, warn() {}, error: (...values: unknown[]) => logged.push(values.join(" ")) };
  await withService(
    { logger },
    ({ app }) => {
      app.get(
        "/ws",
        upgradeWebSocket(() => ({
          onOpen: () => {
            throw new Error("in onOpen");
          },
          onMessage: (event, socket) => {
            if (event.data !== "echo") throw new Error("in onMessage");
            socket.send("echo");
          },
        })),
      );
    },
    async ({ ws }) => {
      const { socket, greeting } = await handshake(`${ws}/ws`);
      socket?.send("fail");
      socket?.send("echo");
      assert.equal(await inTime("the echo", greeting), "echo");
      socket?.close();
    },
  );
  assert.deepEqual(logged, [
    "Error in onOpen of a WebSocket route: Error: in onOpen",
    "Error in onMessage of a WebSocket route: Error: in onMessage",
  ]);
});
