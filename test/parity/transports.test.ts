/**
 * How Engine.IO's transports carry packets, and how sessions end. The reference is engine.io on Node.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { catchUp, connect } from "../support/clients.ts";
import {
  beginPost,
  ending,
  FrameClient,
  nextSession,
  openPolling,
  openWebSocket,
  PollingClient,
  SEPARATOR,
  writable,
} from "../support/engine-client.ts";
import { type Served, withService } from "../support/service.ts";

/** Runs a test with a service that acknowledges each event with what it got. */
const withEcho = (socketio: object, test: (served: Served) => Promise<void>) =>
  withService(
    { socketio },
    ({ io }) => {
      io.on("connection", (socket) => {
        socket.on("echo", (value, answer) => answer(value));
        socket.on("types", (value, answer) => answer(Buffer.isBuffer(value), value.length));
      });
    },
    test,
  );

test("several packets fit into one polling body, and into one polling answer", () =>
  withEcho({}, async ({ url }) => {
    const client = await (await PollingClient.connect(url)).join();
    const packets = [1, 2, 3].map((n) => `42${n}["echo","火${n}\u2028"]`);
    const posted = await client.post(packets.join(SEPARATOR));
    assert.equal(await posted.text(), "ok");
    assert.equal(posted.headers.get("content-type"), "text/html");
    assert.equal(posted.headers.get("cache-control"), "no-store");
    const received: string[] = [];
    while (received.length < 3) received.push(...(await client.packets()));
    assert.deepEqual(
      received,
      [1, 2, 3].map((n) => `43${n}["火${n}\u2028"]`),
    );
  }));

test("binary travels as base64 over polling, as frames over WebSocket, and is a Buffer on the server", () =>
  withEcho({}, async ({ url }) => {
    const placeholder = '{"_placeholder":true,"num":0}';
    const polling = await (await PollingClient.connect(url)).join();
    await polling.post(`451-0["echo",${placeholder}]${SEPARATOR}bAQIDBA==`);
    const received: string[] = [];
    while (received.length < 2) received.push(...(await polling.packets()));
    assert.deepEqual(received, [`461-0[${placeholder}]`, "bAQIDBA=="]);

    const socket = await FrameClient.join(url);
    for (const event of ["echo", "types"]) {
      socket.send(`451-0["${event}",${placeholder}]`);
      socket.send(new Uint8Array([1, 2, 3, 4]));
    }
    assert.equal(await socket.frame(), `461-0[${placeholder}]`);
    assert.deepEqual(await socket.frame(), Buffer.from([1, 2, 3, 4]));
    assert.equal(await socket.frame(), "430[true,4]");
    socket.socket.close();
  }));

for (const transport of ["polling", "websocket"]) {
  test(`bytes of all sizes come back unchanged over ${transport}`, () =>
    withEcho({ maxHttpBufferSize: 32e6 }, async ({ url }) => {
      const client = await connect(url, { transports: [transport] });
      for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000, 15_000_000]) {
        const bytes = Buffer.alloc(size, "0123456789");
        const answer = Buffer.from(await client.emitWithAck("echo", bytes));
        assert.ok(answer.equals(bytes), `${size} bytes came back as ${answer.length}`);
      }
      client.disconnect();
    }));

  test(`half of a surrogate pair becomes U+FFFD over ${transport}`, () =>
    withService({}, async ({ url, service }) => {
      const opened = nextSession(service.io.engine);
      const client =
        transport === "polling" ? await PollingClient.connect(url) : await FrameClient.connect(url);
      if (client instanceof FrameClient) await client.open();
      (await opened).send("a\ud83db\udd25c");
      const received = client instanceof FrameClient ? await client.frame() : (await client.packets())[0];
      assert.equal(received, "4a\ufffdb\ufffdc");
      if (client instanceof FrameClient) client.socket.close();
    }));
}

const BAD_PACKETS = ["", "x", "7", "abc", "ä", "b"];

for (const packet of BAD_PACKETS.slice(0, -1)) {
  test(`a polling body of ${JSON.stringify(packet)} ends the session with a parse error`, () =>
    withEcho({}, async ({ url, service }) => {
      const [client, session] = await openPolling(url, service.io.engine);
      const ended = ending(session);
      assert.equal((await client.post(packet)).status, 200);
      assert.deepEqual(await ended, ["parse error", undefined]);
      assert.equal((await client.post("40")).status, 400);
    }));

  test(`a frame of ${JSON.stringify(packet)} ends the session with a parse error`, () =>
    withEcho({}, async ({ url, service }) => {
      const [client, session] = await openWebSocket(url, service.io.engine);
      const ended = ending(session);
      client.send(packet);
      assert.deepEqual(await ended, ["parse error", undefined]);
      await client.closed;
    }));
}

test("packets after one that cannot be parsed are not read", () =>
  withEcho({}, async ({ url, service }) => {
    const [client, session] = await openPolling(url, service.io.engine);
    const types: string[] = [];
    session.on("packet", ({ type }) => types.push(type));
    await client.post(["40", "x", "40"].join(SEPARATOR));
    assert.deepEqual(types, ["message", "error"]);
  }));

test("a ping from the client ends the session, because only the server sends pings", () =>
  withEcho({}, async ({ url, service }) => {
    const [client, session] = await openWebSocket(url, service.io.engine);
    const ended = ending(session);
    client.send("2");
    const [reason, description] = await ended;
    assert.equal(reason, "transport error");
    assert.equal(description instanceof Error && description.message, "invalid heartbeat direction");
    await client.closed;
  }));

test("a second poll while one is pending ends the session", () =>
  withEcho({}, async ({ url, service }) => {
    const [client, session] = await openPolling(url, service.io.engine);
    const ended = ending(session);
    const pending = client.poll();
    await writable(session);
    const overlapping = await client.poll();
    assert.deepEqual([overlapping.status, await overlapping.text()], [400, ""]);
    assert.equal(await (await pending).text(), "1");
    const [reason, description] = await ended;
    assert.equal(reason, "transport error");
    assert.equal(description instanceof Error && description.message, "overlap from client");
  }));

test("a second POST while one is under way ends the session", () =>
  withEcho({}, async ({ url, service }) => {
    const [client, session] = await openPolling(url, service.io.engine);
    const ended = ending(session);
    const slow = await beginPost(client, "Content-Length: 10", "40");
    await catchUp(url);
    const overlapping = await client.post("40");
    assert.deepEqual([overlapping.status, await overlapping.text()], [400, ""]);
    const [reason, description] = await ended;
    assert.equal(reason, "transport error");
    assert.equal(description instanceof Error && description.message, "data request overlap from client");
    slow.destroy();
  }));

test("a binary polling body ends the session, because polling sends binary as base64", () =>
  withEcho({}, async ({ url, service }) => {
    const [client, session] = await openPolling(url, service.io.engine);
    const ended = ending(session);
    const answer = await client.post(new Uint8Array([1, 2, 3]), {
      "content-type": "application/octet-stream",
    });
    assert.equal(answer.status, 400);
    const [reason, description] = await ended;
    assert.equal(reason, "transport error");
    assert.equal(description instanceof Error && description.message, "invalid content");
  }));

test("maxHttpBufferSize counts bytes, of a body without a length too, and the session goes on", () =>
  withEcho({ maxHttpBufferSize: 100 }, async ({ url }) => {
    const client = await (await PollingClient.connect(url)).join();
    assert.equal((await client.post(`420["echo","${"火".repeat(28)}"]`)).status, 200);
    assert.deepEqual(await client.packets(), [`430["${"火".repeat(28)}"]`]);
    assert.equal((await client.post(`4${"火".repeat(34)}`)).status, 413);

    const chunked = await beginPost(client, "Transfer-Encoding: chunked", "");
    for (let i = 0; i < 5; i++) chunked.write(`40\r\n${"x".repeat(64)}\r\n`);
    const [answer] = await once(chunked, "data");
    assert.match(String(answer), /^HTTP\/1\.1 413 /);
    chunked.destroy();

    assert.equal((await client.post('421["echo",1]')).status, 200);
    assert.deepEqual(await client.packets(), ["431[1]"]);
  }));

test("a frame above maxHttpBufferSize closes the WebSocket with 1009", () =>
  withEcho({ maxHttpBufferSize: 100 }, async ({ url, service }) => {
    for (const frame of [`4${"火".repeat(34)}`, Buffer.alloc(101)]) {
      const [client, session] = await openWebSocket(url, service.io.engine);
      const ended = ending(session);
      client.send(frame);
      assert.equal(await client.closed, 1009);
      const [reason, description] = await ended;
      assert.equal(reason, "transport error");
      assert.match(String(description), /Max payload size exceeded/);
    }
  }));

test("text that is not UTF-8 ends the session with a transport error", () =>
  withEcho({}, async ({ url, service }) => {
    const [client, session] = await openWebSocket(url, service.io.engine);
    const ended = ending(session);
    client.socket.send(Buffer.from([0x34, 0xff]), { binary: false });
    assert.equal((await ended)[0], "transport error");
    await client.closed;
  }));

const ENDINGS: [title: string, reason: string, end: (client: FrameClient) => void][] = [
  ["a WebSocket that the client closes", "transport close", ({ socket }) => socket.close()],
  ["a WebSocket that is lost", "transport close", ({ socket }) => socket.terminate()],
];
for (const [title, reason, end] of ENDINGS) {
  test(`${title} ends the session with "${reason}"`, () =>
    withEcho({}, async ({ url, service }) => {
      const [client, session] = await openWebSocket(url, service.io.engine);
      const ended = ending(session);
      end(client);
      assert.deepEqual(await ended, [reason, undefined]);
      assert.equal(service.io.engine.clientsCount, 0);
    }));
}

test("a close packet over polling ends the session and answers the pending poll", () =>
  withEcho({}, async ({ url, service }) => {
    const [client, session] = await openPolling(url, service.io.engine);
    const ended = ending(session);
    const pending = client.packets();
    await writable(session);
    assert.equal(await (await client.post("1")).text(), "ok");
    assert.deepEqual(await pending, ["6"]);
    assert.deepEqual(await ended, ["transport close", undefined]);
  }));

test("a poll that the client aborts ends the session", () =>
  withEcho({}, async ({ url, service }) => {
    const [client, session] = await openPolling(url, service.io.engine);
    const ended = ending(session);
    const abort = new AbortController();
    const pending = client.poll({ signal: abort.signal });
    await writable(session);
    abort.abort();
    await assert.rejects(pending);
    const [reason, description] = await ended;
    assert.equal(reason, "transport error");
    assert.equal(description instanceof Error && description.message, "poll connection closed prematurely");
  }));

test("close() answers a pending poll with a close packet, or else the next poll", () =>
  withEcho({}, async ({ url, service }) => {
    for (const isPending of [true, false]) {
      const [client, session] = await openPolling(url, service.io.engine);
      const ended = ending(session);
      const pending = isPending ? client.packets() : undefined;
      if (isPending) await writable(session);
      session.close();
      assert.deepEqual(await (pending ?? client.packets()), isPending ? ["1"] : ["6", "1"]);
      assert.deepEqual(await ended, ["forced close", undefined]);
    }
  }));

test("close() sends what was written before", () =>
  withEcho({}, async ({ url, service }) => {
    const [polling, session] = await openPolling(url, service.io.engine);
    const ended = ending(session);
    session.send("last");
    session.close();
    session.send("too late");
    const packets = [...(await polling.packets()), ...(await polling.packets())];
    assert.deepEqual(
      packets.filter((packet) => packet !== "6"),
      ["4last", "1"],
    );
    assert.deepEqual(await ended, ["forced close", undefined]);

    const [socket, second] = await openWebSocket(url, service.io.engine);
    second.send("last");
    const secondEnded = ending(second);
    second.close();
    assert.deepEqual(await secondEnded, ["forced close", undefined]);
    assert.equal(await socket.frame(), "4last");
    await socket.closed;
  }));

test("over each transport, a client stays connected while it answers pings, and is disconnected if it does not", () =>
  withEcho({ pingInterval: 60, pingTimeout: 40 }, async ({ url, service }) => {
    const [client, session] = await openWebSocket(url, service.io.engine);
    let beats = 0;
    session.on("heartbeat", () => beats++);
    const ended = ending(session);
    for (let i = 0; i < 5; i++) {
      assert.equal(await client.frame(), "2");
      client.send("3");
    }
    assert.deepEqual(await ended, ["ping timeout", undefined]);
    assert.equal(beats, 5);
    await client.closed;

    const [polling, next] = await openPolling(url, service.io.engine);
    const second = ending(next);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await polling.packets(), ["2"]);
      await polling.post("3");
    }
    assert.deepEqual(await polling.packets(), ["2"]);
    assert.deepEqual(await second, ["ping timeout", undefined]);
  }));

test("a packet other than a pong postpones the ping timeout, once", () =>
  withEcho({ pingInterval: 50, pingTimeout: 200 }, async ({ url, service }) => {
    const opened = nextSession(service.io.engine);
    const client = await FrameClient.join(url);
    const ended = ending(await opened);
    assert.equal(await client.frame(), "2");
    const start = Date.now();
    const chatter = setInterval(() => client.send('420["echo",1]'), 120);
    assert.deepEqual(await ended, ["ping timeout", undefined]);
    clearInterval(chatter);
    const waited = Date.now() - start;
    assert.ok(waited > 280 && waited < 480, `${waited} ms`);
  }));

test("write callbacks are called in order when the packets were sent", () =>
  withEcho({}, async ({ url, service }) => {
    const [client, session] = await openPolling(url, service.io.engine);
    const called: number[] = [];
    for (const n of [1, 2, 3]) session.send(String(n), {}, () => called.push(n));
    assert.deepEqual(called, []);
    assert.equal(session.writeBuffer.length, 3);
    assert.deepEqual(await client.packets(), ["41", "42", "43"]);
    assert.deepEqual(called, [1, 2, 3]);
  }));
