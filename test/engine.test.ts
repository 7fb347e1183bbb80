/**
 * io.engine and the `socketio` settings: the same on every runtime, before and while the service is served.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createService, type ServiceOptions, SettingsError } from "../src/index.ts";
import { connect, exchange, handshake } from "./support/clients.ts";
import { serve } from "./support/runtime.ts";
import { silent, withService } from "./support/service.ts";

const POLLING = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET = "/socket.io/?EIO=4&transport=websocket";

/** The first packet of a session, by each transport. */
async function openPackets({ url, ws }: { url: string; ws: string }): Promise<Record<string, unknown>[]> {
  const polled = await (await fetch(url + POLLING)).text();
  const { socket, greeting } = await handshake(ws + WEBSOCKET);
  const pushed = await greeting;
  socket?.close();
  return [polled, pushed].map((packet) => JSON.parse(packet.slice(1)));
}

test("the settings of Engine.IO reach it: its first packet tells them", () =>
  withService(
    { socketio: { pingInterval: 12_345, pingTimeout: 6789, maxHttpBufferSize: 4321 } },
    () => {},
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
    withService(
      options,
      () => {},
      async (served) => {
        const [polling, websocket] = await openPackets(served);
        assert.deepEqual(polling?.["upgrades"], expected);
        assert.deepEqual(websocket?.["upgrades"], []);
      },
    ));
}

test("a transport that is not offered is refused with Engine.IO's error", () =>
  withService(
    { transports: "polling" },
    () => {},
    async ({ url, ws, service }) => {
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
    },
  ));

test("a polling body above maxHttpBufferSize is answered 413, and the server goes on", () =>
  withService(
    { socketio: { maxHttpBufferSize: 1000 } },
    () => {},
    async ({ url }) => {
      const { sid } = JSON.parse((await (await fetch(url + POLLING)).text()).slice(1));
      const post = (body: string) => fetch(`${url}${POLLING}&sid=${sid}`, { method: "POST", body });
      assert.equal((await post("40")).status, 200);
      assert.equal((await post("4".repeat(1001))).status, 413);
      const client = await connect(url);
      client.disconnect();
    },
  ));

test("io.engine is there before the service is served, and its listeners are heard", async () => {
  const service = createService({ logger: silent, chat: false, host: "127.0.0.1", port: 0 });
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

const rare: [string, object][] = [
  ["allowEIO3", { allowEIO3: true }],
  ["allowRequest", { allowRequest: () => {} }],
  ["cookie", { cookie: true }],
  ["httpCompression", { httpCompression: { threshold: 10 } }],
  ["perMessageDeflate", { perMessageDeflate: true }],
];
for (const [name, socketio] of rare) {
  test(`socketio.${name} is honoured, or refused at start by its name with what to do instead`, async () => {
    const service = createService({ logger: silent, host: "127.0.0.1", port: 0, socketio });
    try {
      await (await serve(service)).close();
    } catch (error) {
      assert.ok(error instanceof SettingsError);
      assert.match(error.message, new RegExp(`^socketio\\.${name} is not available on [^:]+: \\w+`));
    }
  });
}

test("a request to upgrade to something else than WebSocket is answered as it is", () =>
  withService(
    {},
    ({ app }) => app.get("/hello", (c) => c.text("hello")) && undefined,
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
