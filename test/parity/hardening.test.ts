/**
 * What an engine must do besides the protocol itself: clients that stop reading, limits that apply to the Socket.IO route
 * only, close codes of WebSockets, frames that no client should send. The reference is engine.io on Node.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { createService } from "../../src/index.ts";
import { connect, exchange, next } from "../support/clients.ts";
import {
  beginPost,
  ending,
  FrameClient,
  joinWebSocket,
  openPolling,
  openWebSocket,
  POLLING,
  PollingClient,
  type Session,
  WEBSOCKET,
  writable,
} from "../support/engine-client.ts";
import { serve } from "../support/runtime.ts";
import { QUIET, withService } from "../support/service.ts";

test("a client that stops reading gets 200 MB in order when it reads again, without the volatile messages", () =>
  withService({ maxBuffered: 0 }, async ({ url, service }) => {
    const SIZE = 100_000;
    const MESSAGES = 2000;
    const [client, socket] = await joinWebSocket(url, service.io);
    client.socket.pause();
    const padding = "x".repeat(SIZE);
    for (let n = 0; n < MESSAGES; n++) {
      socket.emit("down", n, padding);
      if (n % 50 !== 49) continue;
      await sleep(1);
      if (n > 500) socket.volatile.emit("volatile", n);
    }
    assert.equal(socket.conn.transport.writable, false);
    client.socket.resume();
    for (let n = 0; n < MESSAGES; n++) {
      const frame = String(await client.frame());
      assert.equal(frame.length, `42["down",${n},"${padding}"]`.length);
      assert.ok(frame.startsWith(`42["down",${n},`), frame.slice(0, 30));
    }
    await writable(socket.conn);
    socket.volatile.emit("volatile", "again");
    assert.equal(await client.frame(), '42["volatile","again"]');
    client.socket.close();
  }));

test("a body that is too large is answered 413 before it has been sent completely", () =>
  withService({ socketio: { maxHttpBufferSize: 1000 } }, async ({ url }) => {
    const client = await PollingClient.connect(url);
    const slow = await beginPost(client, "Content-Length: 100000000", `4${"x".repeat(5000)}`);
    const [answer] = await once(slow, "data");
    assert.match(String(answer), /^HTTP\/1\.1 413 /);
    slow.destroy();
  }));

test("maxHttpBufferSize does not limit the author's own routes", () =>
  withService(
    { socketio: { maxHttpBufferSize: 1000 } },
    ({ app }) => app.post("/upload", async (c) => c.text(String((await c.req.text()).length))),
    async ({ url }) => {
      const response = await fetch(`${url}/upload`, { method: "POST", body: "x".repeat(2_000_000) });
      assert.deepEqual([response.status, await response.text()], [200, "2000000"]);
    },
  ));

test("a pingInterval of many minutes works", () =>
  withService({ socketio: { pingInterval: 600_000 } }, async ({ url }) => {
    assert.equal((await PollingClient.connect(url)).open.pingInterval, 600_000);
    const socket = await FrameClient.connect(url);
    assert.equal((await socket.open()).pingInterval, 600_000);
    socket.socket.close();
  }));

test("a poll may stay pending for longer than ten seconds", () =>
  withService({ socketio: { pingInterval: 11_000 } }, async ({ url }) => {
    const client = await PollingClient.connect(url);
    assert.deepEqual(await client.packets(), ["2"]);
  }));

const CLOSINGS: [title: string, options: object, end: (client: FrameClient, session: Session) => void][] = [
  ["close()", {}, (_, session) => session.close()],
  ["close(true)", {}, (_, session) => session.close(true)],
  ["a parse error", {}, (client) => client.send("x")],
  ["a ping timeout", { pingInterval: 50, pingTimeout: 50 }, () => {}],
];
for (const [title, socketio, end] of CLOSINGS) {
  test(`the client gets a close frame without a code (1005) after ${title}`, () =>
    withService({ socketio }, async ({ url, service }) => {
      const [client, session] = await openWebSocket(url, service.io.engine);
      end(client, session);
      assert.equal(await client.closed, 1005);
    }));
}

test("the disconnect reason tells whether the client stopped answering pings, left, or broke the protocol", () =>
  withService({ socketio: { pingInterval: 60, pingTimeout: 60 } }, async ({ url, service }) => {
    const reasonOf = async (leave: (client: FrameClient) => void) => {
      const [client, socket] = await joinWebSocket(url, service.io);
      const left = once(socket, "disconnect");
      leave(client);
      const [reason, description] = await left;
      client.socket.terminate();
      return [reason, description?.message];
    };
    assert.deepEqual(await reasonOf(() => {}), ["ping timeout", undefined]);
    assert.deepEqual(await reasonOf(({ socket }) => socket.close()), ["transport close", undefined]);
    assert.deepEqual(await reasonOf(({ socket }) => socket.send("41")), [
      "client namespace disconnect",
      undefined,
    ]);
    assert.deepEqual(await reasonOf(({ socket }) => socket.send("2")), [
      "transport error",
      "invalid heartbeat direction",
    ]);
  }));

test("packet types that mean nothing to a server are ignored over WebSocket", () =>
  withService({}, async ({ url, service }) => {
    const [client, session] = await openWebSocket(url, service.io.engine);
    const types: string[] = [];
    session.on("packet", ({ type }) => types.push(type));
    for (const frame of ["0", "1", "5", "6", "40"]) client.send(frame);
    assert.match(String(await client.frame()), /^40/);
    assert.deepEqual(types, ["open", "close", "upgrade", "noop", "message"]);
    client.socket.close();
  }));

test("a transport may be probed more than once before the upgrade", () =>
  withService({}, async ({ url, service }) => {
    const [polling, session] = await openPolling(url, service.io.engine);
    const socket = await FrameClient.connect(url, polling.open.sid);
    await socket.probe();
    await socket.probe();
    socket.send("5");
    session.send("over");
    assert.equal(await socket.frame(), "4over");
    socket.socket.close();
  }));

test("a WebSocket that connects to a session that has ended meanwhile is closed", () =>
  withService(
    {},
    ({ app, io }) => {
      app.use("/socket.io/*", async (c, next) => {
        await next();
        if (c.req.header("upgrade")) io.engine.close();
      });
    },
    async ({ url }) => {
      const polling = await PollingClient.connect(url);
      const socket = await FrameClient.connect(url, polling.open.sid).catch(() => undefined);
      if (socket) await socket.closed;
    },
  ));

test("a session that is closed during an upgrade ends when the upgrade is complete", () =>
  withService({}, async ({ url, service }) => {
    const [polling, session] = await openPolling(url, service.io.engine);
    const ended = ending(session);
    const socket = await FrameClient.connect(url, polling.open.sid);
    await socket.probe();
    session.send("last");
    session.close();
    socket.send("5");
    assert.equal(await socket.frame(), "4last");
    assert.deepEqual(await ended, ["forced close", undefined]);
    assert.equal(await socket.closed, 1005);
  }));

test("the first subprotocol that a client names is chosen", () =>
  withService({}, async ({ ws }) => {
    const socket = new WebSocket(ws + WEBSOCKET, ["a", "b"]);
    await once(socket, "open");
    assert.equal(socket.protocol, "a");
    socket.close();
  }));

test("a handshake that is malformed is answered 400, and opens no session", () =>
  withService({}, async ({ port, service }) => {
    const answer = await exchange(
      port,
      `GET ${WEBSOCKET} HTTP/1.1\nHost: localhost\nUpgrade: websocket\nConnection: Upgrade, close\nSec-WebSocket-Version: 13\n\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal(service.io.engine.clientsCount, 0);
  }));

test("io.close() frees the port, and the service can be served again", async () => {
  const service = createService(QUIET);
  for (let round = 0; round < 2; round++) {
    const listening = await serve(service);
    const client = await connect(listening.url, { transports: ["websocket"] });
    const left = next(client, "disconnect");
    await service.io.close();
    assert.equal((await left)[0], "transport close");
    await assert.rejects(fetch(listening.url + POLLING));
    await listening.close();
  }
});
