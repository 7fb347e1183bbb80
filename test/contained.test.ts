/**
 * What goes wrong in one request, one listener or one start stays there: the next one finds the service as it was.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnInfo } from "hono/conninfo";
import { createService, getConnInfo, upgradeWebSocket } from "../src/index.ts";
import { connect, exchange, handshake } from "./support/clients.ts";
import { serve } from "./support/runtime.ts";
import { QUIET, withService } from "./support/service.ts";
import { inTime } from "./support/until.ts";

test("a WebSocket that its route closes in onOpen gets onClose", async () => {
  let resolveEnd: (code: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    resolveEnd = resolve;
  });
  await withService(
    {},
    ({ app }) =>
      app.get(
        "/ws",
        upgradeWebSocket(() => ({
          onOpen: (_, socket) => socket.close(4000),
          onClose: ({ code }) => resolveEnd(code),
        })),
      ),
    async ({ ws }) => {
      const { socket } = await handshake(`${ws}/ws`);
      assert.equal(await inTime("onClose", ended), 4000);
      socket?.close();
    },
  );
});

test("a middleware sees the client's address after next(), also of a request that becomes a WebSocket", async () => {
  const seen: ConnInfo["remote"][] = [];
  await withService(
    {},
    ({ app }) => {
      app.use(async (c, next) => {
        await next();
        seen.push(getConnInfo(c).remote);
      });
      app.get(
        "/ws",
        upgradeWebSocket(() => ({})),
      );
    },
    async ({ ws, url }) => {
      const { socket } = await handshake(`${ws}/ws`);
      socket?.close();
      await (await fetch(`${url}/missing`)).text();
      for (const { address, port } of seen) assert.deepEqual([address, typeof port], ["127.0.0.1", "number"]);
      assert.equal(seen.length, 2);
    },
  );
});

test("an answer with a header that cannot be sent ends its own request", () =>
  withService(
    {},
    ({ app }) => {
      app.get("/bad", () => new Response("bad", { headers: { "X-Arrow": "→" } }));
      app.get("/good", (c) => c.text("good"));
    },
    async ({ url }) => {
      const status = await fetch(`${url}/bad`).then(
        (answer) => answer.status,
        () => "dropped",
      );
      assert.ok(status === 500 || status === "dropped", String(status));
      assert.equal(await (await fetch(`${url}/good`)).text(), "good");
    },
  ));

test("a handshake for a target that is part of no URL is refused with an answer", () =>
  withService({}, async ({ port }) => {
    const fields =
      "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\n";
    const answer = await exchange(port, `GET * HTTP/1.1\nHost: localhost\n${fields}Connection: close\n\n`);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /);
  }));

test("a service that could not be started, because its app has answered already, says why every time", async () => {
  const service = createService(QUIET);
  await service.app.request("http://127.0.0.1/");
  for (let round = 0; round < 2; round++) await assert.rejects(serve(service), /matcher is already built/);
});

test("close() frees the port though listeners of 'disconnect' throw", async () => {
  const service = createService(QUIET);
  service.io.on("connection", (socket) => {
    socket.on("disconnect", () => {
      throw new Error("in disconnect");
    });
  });
  const listening = await serve(service);
  const { url } = listening;
  for (let n = 0; n < 3; n++) await connect(url, { transports: ["websocket"] });
  await inTime("close()", listening.close());
  await assert.rejects(fetch(url));
});

test("a signal that is aborted while serve() begins to listen closes the service", async () => {
  const abort = new AbortController();
  const service = createService(QUIET);
  const serving = serve(service, { signal: abort.signal });
  abort.abort(new Error("changed my mind"));
  await assert.rejects(serving, /changed my mind/);
  await (await serve(service)).close();
});
