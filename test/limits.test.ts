/**
 * The limits on what a client can have the service do with few bytes: packets in one POST, namespaces, and connections
 * to namespaces at once.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../src/index.ts";
import { connect } from "./support/clients.ts";
import {
  ending,
  FrameClient,
  openPolling,
  PollingClient,
  SEPARATOR,
  writable,
} from "./support/engine-client.ts";
import { withService } from "./support/service.ts";
import { inTime, until } from "./support/until.ts";

const list = (length: number, packet: (index: number) => string): string =>
  Array.from({ length }, (_, index) => packet(index)).join(SEPARATOR);

/** Opens namespaces by a pattern, and echoes. */
function openRooms({ io }: Service): void {
  for (const namespace of [io.of("/"), io.of(/^\/room-\w+$/)]) {
    namespace.on("connection", (socket) => {
      socket.on("echo", (data, answer) => answer(data));
      socket.on("leave", () => socket.disconnect());
    });
  }
}

/** Polls until the session is closed. */
async function receiveClose(client: PollingClient): Promise<void> {
  while (!(await client.packets()).includes("1")) continue;
  assert.equal((await client.poll()).status, 400);
}

/** Connects to a namespace. @returns "connected", or the message of the error */
async function joinNamespace(client: FrameClient, name: string): Promise<string> {
  client.send(`40${name},`);
  const answer = String(await client.frame());
  if (answer.startsWith(`40${name},`)) return "connected";
  assert.ok(answer.startsWith(`44${name},`), answer);
  return JSON.parse(answer.slice(answer.indexOf(",") + 1)).message;
}

for (const fastPaths of [true, false]) {
  const how = fastPaths ? "" : " (without fast paths)";

  test(`a POST with as many packets as allowed is handled whole${how}`, () =>
    withService({ fastPaths, maxPackets: 1000 }, async ({ url, service: { io } }) => {
      const received: number[] = [];
      io.on("connection", (socket) => socket.on("count", (number) => received.push(number)));
      const client = await (await PollingClient.connect(url)).join();
      const response = await client.post(list(1000, (index) => `42["count",${index}]`));
      assert.equal(await response.text(), "ok");
      await until("all events", () => received.length === 1000);
      assert.deepEqual(received, [...Array(1000).keys()]);
    }));

  test(`a POST with one packet too many ends its session with a parse error, and no packet of it is handled${how}`, () =>
    withService({ fastPaths, maxPackets: 1000 }, async ({ url, service: { io } }) => {
      let received = 0;
      io.on("connection", (socket) => socket.on("count", () => received++));
      const [client, session] = await openPolling(url, io.engine);
      const ended = ending(session);
      await client.join();
      const poll = client.poll(); // with a pending poll engine.io closes at once, else it keeps a timer for 30 seconds
      await writable(session);
      assert.equal(await (await client.post(list(1001, () => '42["count"]'))).text(), "ok");
      assert.equal((await inTime("the end of the session", ended))[0], "parse error");
      await (await poll).text();
      assert.equal((await client.poll()).status, 400);
      assert.equal(received, 0);
    }));

  test(`a client that sends thousands of CONNECT packets at once is cut off, and leaves few namespaces${how}`, () =>
    withService({ fastPaths }, openRooms, async ({ url, service: { io } }) => {
      const bystander = await connect(url);
      let created = 0;
      io.on("new_namespace", () => created++);
      const client = await PollingClient.connect(url);
      await client.post(list(40_000, (index) => `40/room-${index},`));
      await receiveClose(client);
      assert.ok(created <= 100, `${created} namespaces`);
      assert.equal(await bystander.timeout(5000).emitWithAck("echo", "still here"), "still here");
      bystander.disconnect();
    }));

  test(`a client cannot connect to one namespace thousands of times at once${how}`, () =>
    withService({ fastPaths }, openRooms, async ({ url, service: { io } }) => {
      for (const packet of ["40", "40/room-1,"]) {
        let sockets = 0;
        io.use((_, next) => next(void sockets++));
        const client = await PollingClient.connect(url);
        await client.post(list(40_000, () => packet));
        await receiveClose(client);
        assert.ok(sockets <= 202, `${sockets} sockets`);
      }
    }));

  test(`a client is refused one namespace too many with a connect_error, and stays connected${how}`, () =>
    withService({ fastPaths, maxNamespaces: 3 }, openRooms, async ({ url }) => {
      const client = await FrameClient.join(url);
      for (const name of ["/room-1", "/room-2", "/room-3"])
        assert.equal(await joinNamespace(client, name), "connected");
      const refusal = "A client may be in 3 namespaces at the most";
      assert.equal(await joinNamespace(client, "/room-4"), refusal);
      assert.equal(await joinNamespace(client, "/room-5"), refusal);
      client.send('42/room-3,7["echo","still here"]');
      assert.equal(await client.frame(), '43/room-3,7["still here"]');

      client.send("41/room-2,");
      assert.equal(await joinNamespace(client, "/room-4"), "connected", "after it has left one");
      assert.equal(await joinNamespace(client, "/room-5"), refusal);

      client.send('42/room-1,["leave"]');
      assert.equal(await client.frame(), "41/room-1,");
      assert.equal(await joinNamespace(client, "/room-5"), "connected", "after it was disconnected from one");
      assert.equal(await joinNamespace(client, "/room-1"), refusal);
      client.socket.terminate();
    }));

  test(`a namespace that refused a client can be asked for again${how}`, () =>
    withService(
      { fastPaths, maxNamespaces: 1 },
      ({ io }) => {
        let asked = 0;
        io.of("/private").use((_, next) => next(++asked < 5 ? new Error("not yet") : undefined));
      },
      async ({ url }) => {
        const client = await FrameClient.join(url);
        for (let attempt = 1; attempt < 5; attempt++)
          assert.equal(await joinNamespace(client, "/private"), "not yet");
        assert.equal(await joinNamespace(client, "/private"), "connected");
        client.socket.terminate();
      },
    ));

  test(`namespaces that a client has not got into do not count for long${how}`, () =>
    withService({ fastPaths, maxNamespaces: 1 }, openRooms, async ({ url }) => {
      const client = await FrameClient.join(url);
      assert.equal(await joinNamespace(client, "/unknown"), "Invalid namespace");
      assert.match(await joinNamespace(client, "/room-1"), /^A client may be in 1 namespaces/);
      await afterSeconds(60, async () => {
        assert.equal(await joinNamespace(client, "/room-1"), "connected");
        assert.match(await joinNamespace(client, "/room-2"), /^A client may be in 1 namespaces/);
      });
      client.socket.terminate();
    }));
}

/** Sets the clock forward during a test. */
async function afterSeconds(seconds: number, run: () => Promise<void>): Promise<void> {
  const { now } = Date;
  Date.now = () => now() + seconds * 1000;
  try {
    await run();
  } finally {
    Date.now = now;
  }
}

test("socket.io-client gets a connect_error for one namespace too many", () =>
  withService({ maxNamespaces: 1 }, openRooms, async ({ url }) => {
    const main = await connect(url);
    const first = main.io.socket("/room-1"); // connects at once
    await until("the first namespace", () => first.connected);
    const second = main.io.socket("/room-2");
    const refused = new Promise<Error>((resolve) => second.once("connect_error", resolve));
    const { message } = await inTime("the refusal", refused);
    assert.equal(message, "A client may be in 1 namespaces at the most");
    assert.equal(second.active, false);
    assert.equal(await first.timeout(5000).emitWithAck("echo", "still here"), "still here");
    main.disconnect();
    first.disconnect();
  }));
