/**
 * Upgrades from polling to WebSocket, which must not lose messages, and clients that read too slowly or not at all.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { io } from "socket.io-client";
import { catchUp, next } from "../support/clients.ts";
import {
  allGone,
  ending,
  FrameClient,
  joinWebSocket,
  nextSession,
  openPolling,
  writable,
} from "../support/engine-client.ts";
import { withService } from "../support/service.ts";
import { inTime, until } from "../support/until.ts";

test("an upgrade answers the pending poll with a noop, then sends the waiting packets over WebSocket", () =>
  withService({}, async ({ url, service }) => {
    const [polling, session] = await openPolling(url, service.io.engine);
    const events: string[] = [];
    for (const event of ["upgrading", "upgrade"]) {
      session.on(event, (transport: { name: string }) => events.push(`${event} ${transport.name}`));
    }
    const pending = polling.packets();
    await writable(session);
    const socket = await FrameClient.connect(url, polling.open.sid);
    await socket.probe();
    assert.deepEqual(await pending, ["6"]);
    assert.equal(session.transport.name, "polling");
    session.send("while it waits");
    socket.send("5");
    assert.equal(await socket.frame(), "4while it waits");
    assert.equal(session.transport.name, "websocket");
    assert.equal(session.upgraded, true);
    assert.deepEqual(events, ["upgrading websocket", "upgrade websocket"]);

    const late = await polling.poll();
    assert.deepEqual([late.status, await late.json()], [400, { code: 3, message: "Bad request" }]);
    const second = await FrameClient.connect(url, polling.open.sid);
    await second.closed;
    assert.equal(session.readyState, "open");
    socket.socket.close();
  }));

test("a probe after the upgrade ends the session, as any ping of a client does", () =>
  withService({}, async ({ url, service }) => {
    const [polling, session] = await openPolling(url, service.io.engine);
    const socket = await FrameClient.connect(url, polling.open.sid);
    await socket.probe();
    const upgraded = once(session, "upgrade");
    socket.send("5");
    await inTime("the upgrade", upgraded);
    const ended = ending(session);
    socket.send("2probe");
    assert.equal((await inTime("the end of the session", ended))[0], "transport error");
  }));

test("a session whose WebSocket is lost as soon as it is open ends at once", () =>
  withService({}, async ({ url, service: { io } }) => {
    for (let count = 0; count < 10; count++) {
      const socket = await FrameClient.connect(url);
      socket.socket.terminate();
    }
    await allGone(io.engine);
  }));

test("a session goes on after a failed probe, and can be upgraded by the next one", () =>
  withService({}, async ({ url, service }) => {
    const [polling, session] = await openPolling(url, service.io.engine);
    const failures: ((socket: FrameClient) => void)[] = [
      (socket) => socket.send("4not a probe"),
      (socket) => socket.send("x"),
      (socket) => socket.socket.close(),
      (socket) => socket.socket.terminate(),
    ];
    for (const [index, fail] of failures.entries()) {
      const socket = await FrameClient.connect(url, polling.open.sid);
      if (index > 1) await socket.probe();
      fail(socket);
      await socket.closed;
      await catchUp(url);
      session.send(`after ${index}`);
      const packets = await polling.packets();
      assert.deepEqual(packets, [`4after ${index}`]);
    }
    assert.equal(session.readyState, "open");
    const socket = await FrameClient.connect(url, polling.open.sid);
    await socket.probe();
    socket.send("5");
    session.send("at last");
    assert.equal(await socket.frame(), "4at last");
    socket.socket.close();
  }));

test("only one upgrade can be under way, and it must be complete within upgradeTimeout", () =>
  withService({ socketio: { upgradeTimeout: 100 } }, async ({ url, service }) => {
    const [polling, session] = await openPolling(url, service.io.engine);
    const first = await FrameClient.connect(url, polling.open.sid);
    await first.probe();
    const second = await FrameClient.connect(url, polling.open.sid);
    await second.closed;
    assert.equal(first.socket.readyState, 1);
    await first.closed;
    assert.equal(session.readyState, "open");
    assert.equal(session.transport.name, "polling");
  }));

test("a session that ends during an upgrade closes both transports", () =>
  withService({}, async ({ url, service }) => {
    const [polling, session] = await openPolling(url, service.io.engine);
    const ended = ending(session);
    const socket = await FrameClient.connect(url, polling.open.sid);
    await socket.probe();
    const pending = polling.packets();
    await writable(session);
    session.close();
    assert.deepEqual(await pending, ["1"]);
    assert.deepEqual(await ended, ["forced close", undefined]);
    await socket.closed;
  }));

/** A message with a number; some of the messages are binary. */
const numbered = (n: number) => (n % 5 === 0 ? Buffer.from(String(n)) : `message ${n}`);
const numberOf = (data: unknown) => Number(String(data).replace("message ", ""));

/**
 * A poll may overtake the upgrade packet: they come on two connections. Which of them a runtime reads first is open, and
 * on Deno it is often the poll.
 */
test("a poll that comes before the upgrade packet ends with the upgrade, and takes no message away", () =>
  withService({}, async ({ url, service }) => {
    const [client, session] = await openPolling(url, service.io.engine);
    const socket = await FrameClient.connect(url, client.open.sid);
    await socket.probe();
    const poll = client.poll();
    await writable(session);
    const upgraded = once(session, "upgrade");
    socket.send("5");
    await inTime("the upgrade", upgraded);
    session.send("after");
    const answer = await inTime("the answer to the poll", poll);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /^[16]$/); // a close packet; a noop packet if the server was slow
    assert.equal(await socket.frame(), "4after");
    assert.equal((await client.poll()).status, 400);
    socket.socket.close();
  }));

test("no message of 50 clients that upgrade under traffic is lost, doubled or reordered", async () => {
  const CLIENTS = 50;
  const MESSAGES = 500;
  const expected = Array.from({ length: MESSAGES }, (_, n) => n);
  await withService(
    { socketio: { pingInterval: 300 } },
    ({ io }) => {
      io.on("connection", (socket) => {
        const received: number[] = [];
        socket.on("up", (data) => received.push(numberOf(data)));
        socket.on("received", (answer) => answer(received));
        let n = 0;
        const timer = setInterval(() => {
          for (let i = 0; i < 10 && n < MESSAGES; i++) socket.emit("down", numbered(n++));
          if (n === MESSAGES) clearInterval(timer);
        }, 2);
      });
    },
    async ({ url }) => {
      const talk = async () => {
        const received: number[] = [];
        const socket = io(url, { forceNew: true, reconnection: false });
        socket.on("down", (data) => received.push(numberOf(data)));
        const upgraded = new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
        await next(socket, "connect");
        for (let n = 0; n < MESSAGES; n++) {
          socket.emit("up", numbered(n));
          if (n % 10 === 0) await sleep(1);
        }
        await upgraded;
        await until("all messages from the server", () => received.length >= MESSAGES);
        assert.deepEqual(received, expected);
        let arrived: number[] = [];
        await until("all messages from the client", async () => {
          arrived = await socket.emitWithAck("received");
          return arrived.length >= MESSAGES;
        });
        assert.deepEqual(arrived, expected);
        socket.disconnect();
      };
      await Promise.all(Array.from({ length: CLIENTS }, talk));
    },
  );
});

test("a client that stops reading loses no message but the volatile ones", async () => {
  const MESSAGES = 500;
  const SIZE = 64 * 1024;
  await withService({ maxBuffered: 0 }, async ({ url, service }) => {
    const opened = nextSession(service.io.engine);
    const [client, socket] = await joinWebSocket(url, service.io);
    const session = await opened;
    client.socket.pause();
    const padding = "x".repeat(SIZE);
    for (let n = 0; n < MESSAGES; n++) {
      socket.emit("down", n, padding);
      if (n % 10 === 0) await sleep(1);
    }
    assert.ok(session.writeBuffer.length > 0, "what the client does not read waits in the write buffer");
    for (let n = 0; n < 100; n++) socket.volatile.emit("volatile", n, padding);
    socket.emit("end");
    client.socket.resume();
    for (let n = 0; n < MESSAGES; n++) {
      assert.equal(String(await client.frame()).slice(0, 30), `42["down",${n},"${padding}"]`.slice(0, 30));
    }
    assert.equal(await client.frame(), '42["end"]');
    client.socket.close();
  });
});

test("a client that never reads again is disconnected after the ping timeout", () =>
  withService({ socketio: { pingInterval: 200, pingTimeout: 200 } }, async ({ url, service }) => {
    const opened = nextSession(service.io.engine);
    const client = await FrameClient.join(url);
    const session = await opened;
    const ended = ending(session);
    client.socket.pause();
    for (let n = 0; n < 300; n++) session.send("x".repeat(64 * 1024));
    assert.deepEqual(await ended, ["ping timeout", undefined]);
    await until("the write buffer to be emptied", () => session.writeBuffer.length === 0);
    assert.equal(service.io.engine.clientsCount, 0);
    client.socket.terminate();
  }));
