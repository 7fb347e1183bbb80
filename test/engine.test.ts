/**
 * io.engine and the Engine.IO options in `socketio`: they work the same on every runtime, before and while the service is
 * served.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { type ServerOptions, WebSocketServer } from "ws";
import { createService, type ServiceOptions } from "../src/index.ts";
import { connect, exchange, handshake } from "./support/clients.ts";
import { openPolling, openWebSocket, POLLING, PollingClient, WEBSOCKET } from "./support/engine-client.ts";
import { hasEngineIo, serve } from "./support/runtime.ts";
import { QUIET, type Served, withEngineIoOption, withService } from "./support/service.ts";

/** Opens a session over each transport, and resolves with the first packets. */
async function openPackets({ url, ws }: { url: string; ws: string }): Promise<Record<string, unknown>[]> {
  const polled = await (await fetch(url + POLLING)).text();
  const { socket, greeting } = await handshake(ws + WEBSOCKET);
  const pushed = await greeting;
  socket?.close();
  return [polled, pushed].map((packet) => JSON.parse(packet.slice(1)));
}

test("options of Engine.IO are in the first packet of a session", () =>
  withService(
    { socketio: { pingInterval: 12_345, pingTimeout: 6789, maxHttpBufferSize: 4321 } },
    async (served) => {
      for (const { pingInterval, pingTimeout, maxPayload } of await openPackets(served)) {
        assert.deepEqual([pingInterval, pingTimeout, maxPayload], [12_345, 6789, 4321]);
      }
    },
  ));

const offers: [string, ServiceOptions, string[]][] = [
  ["both transports", {}, ["websocket"]],
  ["no upgrades", { socketio: { allowUpgrades: false } }, []],
];
for (const [name, options, expected] of offers) {
  test(`with ${name}, a polling session is offered ${expected.join() || "no upgrade"}`, () =>
    withService(options, async (served) => {
      const [polling, websocket] = await openPackets(served);
      assert.deepEqual(polling?.["upgrades"], expected);
      assert.deepEqual(websocket?.["upgrades"], []);
    }));
}

test("a transport that is not offered is refused with Engine.IO's error", () =>
  withService({ transports: "polling" }, async ({ url, ws, service }) => {
    const errors: unknown[] = [];
    service.io.engine.on("connection_error", ({ code, message }) => errors.push({ code, message }));
    const { status, socket } = await handshake(ws + WEBSOCKET);
    assert.deepEqual([status, socket], [400, undefined]);
    assert.deepEqual(JSON.parse((await (await fetch(url + POLLING)).text()).slice(1)).upgrades, []);
    const unknown = await fetch(`${url}/socket.io/?EIO=4&transport=carrier-pigeon`);
    assert.equal(unknown.status, 400);
    assert.deepEqual(await unknown.json(), { code: 0, message: "Transport unknown" });
    const error = { code: 0, message: "Transport unknown" };
    assert.deepEqual(errors, [error, error]);
  }));

test("a polling body above maxHttpBufferSize is answered 413, and the server goes on", () =>
  withService({ socketio: { maxHttpBufferSize: 1000 } }, async ({ url }) => {
    const { sid } = JSON.parse((await (await fetch(url + POLLING)).text()).slice(1));
    const post = (body: string) => fetch(`${url}${POLLING}&sid=${sid}`, { method: "POST", body });
    assert.equal((await post("40")).status, 200);
    assert.equal((await post("4".repeat(1001))).status, 413);
    const client = await connect(url);
    client.disconnect();
  }));

test("io.engine exists before the service is served, and listeners added then are called", async () => {
  const service = createService(QUIET);
  const { engine } = service.io;
  assert.equal(engine.clientsCount, 0);
  const transports: string[] = [];
  engine.on("connection", (session) => transports.push(session.transport.name));
  engine.on("initial_headers", (headers) => {
    headers["X-Initial"] = "1";
  });
  engine.on("headers", (headers) => {
    headers["X-Each"] = "1";
  });

  const listening = await serve(service);
  try {
    const client = await connect(listening.url, { transports: ["websocket"] });
    assert.equal(engine.clientsCount, 1);
    const polling = await fetch(listening.url + POLLING);
    assert.deepEqual([polling.headers.get("x-initial"), polling.headers.get("x-each")], ["1", "1"]);
    assert.deepEqual(transports, ["websocket", "polling"]);
    assert.equal(engine.clientsCount, 2);

    const disconnected = new Promise((resolve) => client.once("disconnect", resolve));
    engine.close();
    assert.equal(await disconnected, "transport close");
    assert.equal(engine.clientsCount, 0);
  } finally {
    await listening.close();
  }
});

/** Options of Engine.IO that every engine supports, with a check of what each changes. */
const HONOURED: [
  name: string,
  socketio: ServiceOptions["socketio"],
  check: (url: string) => Promise<void>,
][] = [
  [
    "allowRequest",
    { allowRequest: (_, answer) => answer("not today", false) },
    async (url) => {
      const response = await fetch(url + POLLING);
      assert.deepEqual([response.status, await response.json()], [403, { code: 4, message: "not today" }]);
    },
  ],
  [
    "cookie",
    { cookie: true },
    async (url) => {
      const { open, response } = await PollingClient.connect(url);
      assert.equal(response.headers.get("set-cookie"), `io=${open.sid}; Path=/; HttpOnly; SameSite=Lax`);
    },
  ],
  [
    "httpCompression",
    { httpCompression: { threshold: 10 } },
    async (url) => {
      const asking = request(url + POLLING, { headers: { "accept-encoding": "gzip" } }).end();
      const [response] = await once(asking, "response");
      response.resume();
      assert.equal(response.headers["content-encoding"], "gzip");
    },
  ],
];
for (const [name, socketio, check] of HONOURED) {
  test(`socketio.${name} takes effect`, () => withService({ socketio }, ({ url }) => check(url)));
}

/** An author's own WebSocket server, which adds a header to the handshakes that it makes. */
class OwnServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    super(options);
    this.on("headers", (headers) => headers.push("X-Made-By: the author"));
  }
}

/** Options that only engine.io supports, with a check of what each changes there. */
const ONLY_ENGINE_IO: [name: string, socketio: object, check: (served: Served) => Promise<void>][] = [
  [
    "allowEIO3",
    { allowEIO3: true },
    async ({ url }) => {
      const opened = await (await fetch(url + POLLING.replace("EIO=4", "EIO=3"))).text();
      assert.match(opened, /^\d+:0\{"sid":/); // Engine.IO 3 writes the length in front of each packet
    },
  ],
  [
    "perMessageDeflate",
    { perMessageDeflate: true },
    async ({ ws }) => {
      const { socket } = await handshake(ws + WEBSOCKET);
      assert.match(socket?.extensions ?? "", /^permessage-deflate/);
      socket?.close();
    },
  ],
  [
    "wsEngine",
    { wsEngine: OwnServer },
    async ({ ws }) => {
      const { headers, socket } = await handshake(ws + WEBSOCKET);
      assert.equal(headers["x-made-by"], "the author");
      socket?.close();
    },
  ],
];
for (const [name, socketio, check] of ONLY_ENGINE_IO) {
  const what = hasEngineIo ? "is honoured" : "is refused at start by its name, with what to do instead";
  test(`socketio.${name} ${what}`, () => withEngineIoOption(socketio, () => {}, check));
}

test("a request that offers an upgrade to another protocol is answered as if it did not", () =>
  withService(
    {},
    ({ app }) => app.get("/hello", (c) => c.text("hello")),
    async ({ port }) => {
      const upgrade = "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk\n";
      const answer = await exchange(
        port,
        `GET /hello HTTP/1.1\nHost: localhost\nConnection: close\n${upgrade}\n`,
      );
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(answer, /hello/);
      const polling = await exchange(
        port,
        `GET ${POLLING} HTTP/1.1\nHost: localhost\nConnection: close\n${upgrade}\n`,
      );
      assert.match(polling, /^HTTP\/1\.1 200 OK\r\n[^]*0\{"sid":/);
    },
  ));

test("io.engine.clients has the open sessions by their ids", () =>
  withService({}, async ({ url, service: { io } }) => {
    const clients = () => Reflect.get(io.engine, "clients");
    assert.deepEqual(Object.keys(clients()), []);
    const [, polling] = await openPolling(url, io.engine);
    const [socket, websocket] = await openWebSocket(url, io.engine);
    assert.equal(clients()[websocket.id], websocket);
    assert.deepEqual(Object.keys(clients()).sort(), [polling.id, websocket.id].sort());
    assert.deepEqual(
      [
        polling.id in clients(),
        "nobody" in clients(),
        clients().nobody,
        Object.hasOwn(clients(), websocket.id),
      ],
      [true, false, undefined, true],
    );
    for (const [id, session] of Object.entries<{ id: string }>(clients())) assert.equal(session.id, id);
    clients()[polling.id].close(true);
    assert.deepEqual(Object.keys(clients()), [websocket.id]);
    socket.socket.close();
  }));

test("io.engine.opts has the options in use, by engine.io's names and with its defaults", () =>
  withService(
    { allowedOrigins: ["https://a.example"], socketio: { pingInterval: 12_345, cookie: true } },
    async ({ service: { io } }) => {
      const { opts } = io.engine;
      assert.deepEqual(
        [
          opts.pingInterval,
          opts.pingTimeout,
          opts.upgradeTimeout,
          opts.maxHttpBufferSize,
          Reflect.get(opts, "path"),
        ],
        [12_345, 20_000, 10_000, 1_000_000, "/socket.io"],
      );
      assert.deepEqual(
        [opts.transports, opts.allowUpgrades, opts.httpCompression, opts.allowEIO3],
        [["polling", "websocket"], true, { threshold: 1024 }, false],
      );
      assert.deepEqual(opts.cookie, { name: "io", path: "/", httpOnly: true, sameSite: "lax" });
      assert.deepEqual(opts.cors, { origin: ["https://a.example"], credentials: true });
      assert.throws(() => Object.assign(opts, { pingInterval: 1 }), {
        name: "TypeError",
        message:
          "io.engine.opts.pingInterval cannot be changed: pass socketio.pingInterval to createService()",
      });
    },
  ));

test("io.engine.generateId() can be called, also by a method that replaces it", () =>
  withService({}, async ({ url, service: { io } }) => {
    const generate = io.engine.generateId.bind(io.engine);
    io.engine.generateId = (request) => `a-${String(generate(request))}`;
    assert.match((await PollingClient.connect(url)).open.sid, /^a-[\w-]{20}$/);
  }));

test("ways to serve Socket.IO without Hono throw, and say what to do instead", () => {
  const { io } = createService(QUIET);
  const { engine } = io;
  assert.equal(Reflect.get(io, "eio"), engine);
  const UNAVAILABLE: [what: string, call: () => unknown, message: RegExp][] = [
    ["io.listen", () => io.listen(0), /^io\.listen\(\) is not available in a service: serve\(/],
    ["io.attach", () => io.attach(0), /^io\.attach\(\) is not available in a service: serve\(/],
    ["io.attachApp", () => io.attachApp({}), /^io\.attachApp\(\) is not available in a service: serve\(/],
    ["io.bind", () => io.bind(engine), /^io\.bind\(\) is not available in a service: it has an engine;/],
    [
      "io.engine.ws",
      () => Object.assign(engine, { ws: {} }),
      /^io\.engine\.ws cannot be set: pass socketio\.wsEngine/,
    ],
    ...["attach", "handleRequest", "handleUpgrade"].map((name): [string, () => unknown, RegExp] => [
      `io.engine.${name}`,
      () => Reflect.get(engine, name).call(engine),
      new RegExp(`^io\\.engine\\.${name}\\(\\) is not available in a service: serve\\(`),
    ]),
  ];
  for (const [what, call, message] of UNAVAILABLE) assert.throws(call, { name: "TypeError", message }, what);
});
