/**
 * serve(service, { tls }): what works over http and ws works over https and wss too.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { describe, test } from "node:test";
import { createService, ListenError, SettingsError, upgradeWebSocket } from "../src/index.ts";
import { browserTest } from "./support/browser.ts";
import { connect, handshake } from "./support/clients.ts";
import { nextSession, POLLING, WEBSOCKET } from "./support/engine-client.ts";
import { serve } from "./support/runtime.ts";
import { QUIET, withService } from "./support/service.ts";
import { cert, exchange, get, key, otherKey } from "./support/tls.ts";

const tls = { key, cert };
const trusting = { ca: cert };

for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
  test(`a client talks to the server over TLS and ${transports.join(" upgraded to ")}`, () =>
    withService(
      { tls },
      ({ io }) => {
        io.on("connection", (socket) => {
          const { connection } = socket.conn.request;
          const encrypted = "encrypted" in connection && connection.encrypted;
          socket.on("secure", (ack) => ack(socket.handshake.secure, encrypted));
          socket.on("transport", (ack) => ack(socket.conn.transport.name));
        });
      },
      async ({ url, service }) => {
        assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/);
        const opened = nextSession(service.io.engine);
        const client = await connect(url, { transports, ...trusting });
        const secure = await new Promise<unknown[]>((resolve) =>
          client.emit("secure", (...answer: unknown[]) => resolve(answer)),
        );
        assert.deepEqual(secure, [true, true]);
        const session = await opened;
        const last = transports.at(-1);
        if (session.transport.name !== last) await once(session, "upgrade");
        assert.equal(await client.emitWithAck("transport"), last);
        client.disconnect();
      },
    ));
}

test("a route sees the https URL, and an author's WebSocket route the wss handshake", () =>
  withService(
    { tls },
    ({ app }) => {
      app.get("/url", (c) => c.text(c.req.url));
      app.get(
        "/ws",
        upgradeWebSocket((c) => ({ onOpen: (_, socket) => socket.send(new URL(c.req.url).protocol) })),
      );
    },
    async ({ url, ws }) => {
      assert.deepEqual(await get(`${url}/url?q=1`), { status: 200, body: `${url}/url?q=1` });
      const { socket, greeting } = await handshake(`${ws}/ws`, {}, trusting);
      assert.match(await greeting, /^(?:https|wss):$/);
      socket?.close();
    },
  ));

describe("the own origin of a service over TLS", () => {
  test("has the scheme https, over both transports; another scheme or host is refused", () =>
    withService({ tls }, async ({ url, ws }) => {
      const answers = async (origin: string) => {
        const { status, socket } = await handshake(ws + WEBSOCKET, { origin }, trusting);
        socket?.close();
        return [(await get(url + POLLING, { origin })).status, status];
      };
      assert.deepEqual(await answers(url), [200, 101]);
      assert.deepEqual(await answers(url.replace("https:", "http:")), [400, 400]);
      assert.deepEqual(await answers("https://evil.com"), [400, 400]);
    }));

  test("has the scheme https and the host of the Host header, also with an absolute request line", () =>
    withService(
      { tls },
      ({ app }) => app.get("/scheme", (c) => c.text(new URL(c.req.url).protocol)),
      async ({ port }) => {
        const ask = (line: string, host: string, more = "") =>
          exchange(port, `GET ${line} HTTP/1.1\nHost: ${host}\nConnection: close\n${more}\n`);
        assert.match(await ask("http://evil.com/scheme", "localhost"), /^HTTP\/1\.1 200 [^]*https:/);
        assert.match(await ask("/scheme", "evil.com"), /^HTTP\/1\.1 400 [^]*not served here/);
        assert.match(await ask("https://localhost/scheme", "evil.com"), /^HTTP\/1\.1 400 /);
        assert.match(await ask("/scheme", "a b"), /^HTTP\/1\.1 400 /);
        const own = await ask(`http://evil.com${POLLING}`, "localhost", "Origin: https://localhost\n");
        assert.match(own, /^HTTP\/1\.1 200 [^]*0\{"sid":/);
      },
    ));
});

test("a request that offers an upgrade to another protocol is answered as if it did not, over TLS too", () =>
  withService(
    { tls },
    ({ app }) => app.get("/hello", (c) => c.text("hello")),
    async ({ port }) => {
      const upgrade = "Connection: close, Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk\n";
      const answer = await exchange(port, `GET /hello HTTP/1.1\nHost: localhost\n${upgrade}\n`);
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*hello/);
    },
  ));

browserTest("the demo chat connects in a browser over TLS", (open) =>
  withService({ chat: true, tls }, async ({ url, service }) => {
    const opened = nextSession(service.io.engine);
    const { page, complaints } = await open(url);
    const session = await opened;
    if (!session.upgraded) await once(session, "upgrade");
    assert.equal(session.transport.name, "websocket");
    assert.deepEqual(complaints, []);
    await page.close();
  }),
);

test("a client that never makes the TLS handshake delays close() no longer than a request may", () =>
  withService({ tls }, async ({ port, close }) => {
    const idler = connectTcp(port, "127.0.0.1");
    await once(idler, "connect");
    idler.on("error", () => {});
    const started = Date.now();
    await close();
    assert.ok(Date.now() - started < 12_000);
    idler.destroy();
  }));

describe("a key or a certificate that cannot be used", () => {
  const newService = () => createService(QUIET);
  const damaged = cert.replace("MIIB", "MIXX");

  for (const [name, wrong, message] of [
    [
      "an empty key",
      { key: "", cert },
      'tls.key must be PEM text that contains "-----BEGIN PRIVATE KEY-----"',
    ],
    [
      "a file name as the certificate",
      { key, cert: "c.pem" },
      'tls.cert must be PEM text that contains "-----BEGIN CERTIFICATE-----"',
    ],
  ] as const) {
    test(`${name} is refused with an error that names it, and the service can be served again`, async () => {
      const service = newService();
      await assert.rejects(serve(service, { tls: wrong }), (error: Error) => {
        assert.ok(error instanceof SettingsError);
        assert.equal(error.message, message);
        return true;
      });
      await (await serve(service, { tls })).close();
    });
  }

  for (const [name, wrong] of [
    ["a key of another certificate", { key: otherKey, cert }],
    ["a damaged certificate", { key, cert: damaged }],
  ] as const) {
    test(`${name} makes serve() reject with the reason, and the service can be served again`, async () => {
      const service = newService();
      await assert.rejects(serve(service, { tls: wrong }), (error: Error) => {
        assert.ok(error instanceof ListenError);
        assert.match(error.message, /^Cannot listen on 127\.0\.0\.1:0 with this tls\.key and tls\.cert: \S/);
        assert.ok(error.cause instanceof Error);
        return true;
      });
      await (await serve(service, { tls })).close();
    });
  }

  test("serve() on a taken port rejects with that reason over TLS too", async () => {
    const [first, second] = [newService(), newService()];
    const { port, close } = await serve(first, { tls });
    const message = `Cannot listen on 127.0.0.1:${port}: the port is taken`;
    await assert.rejects(serve(second, { port, tls }), { name: "ListenError", message });
    await close();
  });
});
