/**
 * Network faults: connections that are reset, half open or slow, at any moment of a request, do not harm the service.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CATCH_UP, catchUp, connect, handshake } from "./support/clients.ts";
import { POLLING, PollingClient, WEBSOCKET } from "./support/engine-client.ts";
import { withService } from "./support/service.ts";
import { until } from "./support/until.ts";

const KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const upgrading = (path: string, to: string) =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${to}\r\n${KEY}\r\n`;

/** A middleware in which requests wait until the test opens the gate. */
class Gate {
  arrived = 0;
  passed = 0;
  /** Opens the gate for the requests that wait and for all later ones. */
  open: () => void = () => {};
  readonly #opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });

  async pass(next: () => Promise<void>): Promise<void> {
    this.arrived++;
    await this.#opened;
    try {
      await next();
    } finally {
      this.passed++;
    }
  }
}

/** Opens a connection and sends bytes. The test ends the connection. */
async function send(port: number, bytes: string): Promise<Socket> {
  const socket = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(bytes);
  return socket;
}

const resets: [string, string][] = [
  ["an upgrade to another protocol", upgrading("/slow", "h2c")],
  ["a WebSocket handshake that a route refuses", upgrading("/slow", "websocket")],
  ["a WebSocket handshake that is still in a middleware", upgrading(WEBSOCKET, "websocket")],
  ["a poll that is still in a middleware", `GET ${POLLING} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ["half a POST", `POST ${POLLING}&sid=x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n4`],
];
for (const [name, bytes] of resets) {
  test(`the service survives ${name} whose connection is reset`, () => {
    const gate = new Gate();
    return withService(
      {},
      ({ app }) => {
        app.use("*", (c, next) => (c.req.path === CATCH_UP ? next() : gate.pass(next)));
        app.get("/slow", (c) => c.text("at last"));
      },
      async ({ url, port, service }) => {
        const sockets = await Promise.all(Array.from({ length: 5 }, () => send(port, bytes)));
        await until("all requests to reach the middleware", () => gate.arrived === sockets.length);
        for (const socket of sockets) socket.resetAndDestroy();
        await catchUp(url);
        gate.open();
        await until("all requests to pass the middleware", () => gate.passed === sockets.length);
        const client = await connect(url);
        await until("the end of all sessions but one", () => service.io.engine.clientsCount === 1);
        client.disconnect();
      },
    );
  });
}

test("no message is lost with a poll that the client aborts while middleware is still running", () => {
  const gate = new Gate();
  return withService(
    {},
    ({ app }) => {
      app.use("/socket.io/*", (c, next) => (c.req.query("slow") ? gate.pass(next) : next()));
    },
    async ({ url, service }) => {
      const client = await (await PollingClient.connect(url)).join();
      const abort = new AbortController();
      const poll = fetch(`${client.url}&slow=1`, { signal: abort.signal });
      await until("the poll to reach the middleware", () => gate.arrived === 1);
      abort.abort();
      await assert.rejects(poll);
      await catchUp(url);
      gate.open();
      await until("the poll to pass the middleware", () => gate.passed === 1);
      service.io.emit("important", 1);
      assert.deepEqual(await client.packets(), ['42["important",1]']);
    },
  );
});

test("a WebSocket handshake for a transport that is not offered, or that names polling, is refused", () =>
  withService({ transports: "polling", socketio: { allowUpgrades: true } }, async ({ url, ws }) => {
    const { sid } = JSON.parse((await (await fetch(url + POLLING)).text()).slice(1));
    for (const path of [WEBSOCKET, POLLING, `${POLLING}&sid=${sid}`, `${WEBSOCKET}&sid=${sid}`]) {
      const { status, socket } = await handshake(ws + path);
      assert.deepEqual([status, socket], [400, undefined], path);
    }
  }));

for (const [name, bytes] of [
  ["a refused handshake", upgrading("/nowhere", "websocket").replace("localhost", "evil.example")],
  ["a plain answer to an upgrade", upgrading("/hello", "h2c")],
] as const) {
  test(`the server closes the connection of ${name}, also when the client does not`, () =>
    withService(
      {},
      ({ app }) => app.get("/hello", (c) => c.text("hello")),
      async ({ port }) => {
        const socket = await send(port, bytes.replace("Connection: Upgrade", "Connection: close, Upgrade"));
        socket.resume();
        await once(socket, "end");
        // The server has closed the connection, so it answers what is sent now with a reset.
        const nudge = setInterval(() => socket.write("x"), 20);
        await new Promise((resolve) => socket.once("close", resolve));
        clearInterval(nudge);
      },
    ));
}

test("the body of an answer to a handshake waits for a slow client, and is cancelled when the client has left", async () => {
  const CHUNK = new Uint8Array(64 * 1024);
  let pulled = 0;
  let cancelled: () => void = () => {};
  const isCancelled = new Promise<void>((resolve) => {
    cancelled = resolve;
  });
  await withService(
    {},
    ({ app }) => {
      app.get("/endless", (c) =>
        c.body(
          new ReadableStream({
            pull(controller) {
              pulled += CHUNK.byteLength;
              controller.enqueue(CHUNK);
              return sleep(0);
            },
            cancel: () => cancelled(),
          }),
        ),
      );
    },
    async ({ port }) => {
      const socket = await send(port, upgrading("/endless", "websocket"));
      socket.pause();
      await until("the body to wait for its reader", async () => {
        assert.ok(pulled < 32 * 1024 * 1024, `${pulled} bytes were pulled for a reader that stalls`);
        const before = pulled;
        await sleep(100);
        return pulled > 0 && pulled === before;
      });
      socket.destroy();
      await isCancelled;
    },
  );
});
