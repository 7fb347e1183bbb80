/**
 * serve(): where it listens, what it refuses, and how it ends.
 */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import { describe, test } from "node:test";
import type { Socket } from "socket.io";
import { WebSocket } from "ws";
import { createService, ListenError, type Service, upgradeWebSocket } from "../src/index.ts";
import { collect, connect, next } from "./support/clients.ts";
import { writable } from "./support/engine-client.ts";
import { runScript } from "./support/process.ts";
import { runtime, serve } from "./support/runtime.ts";
import { QUIET, withService } from "./support/service.ts";
import { until } from "./support/until.ts";

const newService = (host = "127.0.0.1"): Service => createService({ ...QUIET, host });

/** Whether a server accepts connections on a port. */
async function isTaken(port: number, host = "127.0.0.1"): Promise<boolean> {
  const socket = connectTcp(port, host);
  return once(socket, "connect")
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

/** Resolves when a port accepts no connections any more: the service there has begun to close. */
const refused = (port: number): Promise<void> =>
  until(`port ${port} to take no connections`, async () => !(await isTaken(port)));

for (const [hostname, urlHost] of [
  ["127.0.0.1", "127.0.0.1"],
  ["0.0.0.0", "127.0.0.1"],
  ["localhost", "localhost"],
  ["::1", "[::1]"],
] as const) {
  test(`serve() on ${hostname} tells the url, the hostname, and the port that it got`, async () => {
    const service = newService();
    service.app.get("/", (c) => c.text("here"));
    const listening = await serve(service, { hostname, port: 0 });
    try {
      assert.ok(listening.port > 0);
      assert.equal(listening.hostname, hostname);
      assert.equal(listening.url, `http://${urlHost}:${listening.port}`);
      assert.equal(await (await fetch(listening.url)).text(), "here");
      // socket.io-client cannot poll an IPv6 address.
      const client = await connect(listening.url, { transports: ["websocket"] });
      client.disconnect();
    } finally {
      await listening.close();
    }
  });
}

test("serve() uses its own host and port options, else those of the settings", async () => {
  const service = newService("::1");
  const first = await serve(service);
  assert.equal(first.hostname, "::1");
  await first.close();
  const second = await serve(service, { hostname: "127.0.0.1", port: first.port });
  assert.equal(second.url, `http://127.0.0.1:${first.port}`);
  await second.close();
});

test("serve() on a taken port rejects with the address and the reason, and the service can be served elsewhere", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const address = taken.address();
  assert.ok(typeof address === "object" && address);
  const service = newService();
  await assert.rejects(serve(service, { port: address.port }), (error: Error) => {
    assert.ok(error instanceof ListenError);
    assert.equal(error.message, `Cannot listen on 127.0.0.1:${address.port}: the port is taken`);
    assert.ok(error.cause instanceof Error);
    return true;
  });
  taken.close();
  const listening = await serve(service);
  const client = await connect(listening.url);
  client.disconnect();
  await listening.close();
});

for (const port of [-1, 65_536, 1.5, Number.NaN]) {
  test(`port ${port} is refused`, async () => {
    const service = newService();
    const message = `port must be a number between 0 and 65535 (got ${port})`;
    await assert.rejects(serve(service, { port }), { name: "SettingsError", message });
    await (await serve(service)).close();
  });
}

test("a service cannot be served twice at the same time, and the attempt does not disturb it", async () => {
  const service = newService();
  const first = serve(service);
  const refusal = /being served already: close it first/;
  await assert.rejects(serve(service), refusal);
  const listening = await first;
  const { url } = listening;
  const client = await connect(url);
  await assert.rejects(serve(service), refusal);
  const news = next(client, "news");
  service.io.emit("news", 1);
  assert.deepEqual(await news, [1]);
  client.disconnect();
  await listening.close();
});

test("two services can be served side by side", () =>
  withService(
    {},
    ({ app }) => app.get("/", (c) => c.text("one")),
    async (one) =>
      withService(
        {},
        ({ app }) => app.get("/", (c) => c.text("two")),
        async (two) => {
          const texts = [one, two].map(async ({ url }) => (await fetch(url)).text());
          assert.deepEqual(await Promise.all(texts), ["one", "two"]);
        },
      ),
  ));

describe("close()", () => {
  test("returns the same promise every time, and frees the port", async () => {
    const listening = await serve(newService());
    const { port } = listening;
    const closing = listening.close();
    assert.equal(listening.close(), closing);
    await closing;
    assert.equal(listening.close(), closing);
    assert.equal(await isTaken(port), false);
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    server.close();
  });

  for (const transport of ["polling", "websocket"]) {
    test(`disconnects a client that is connected over ${transport}, and both sides are told why`, async () => {
      const service = newService();
      const listening = await serve(service);
      const { url } = listening;
      const connected = once(service.io, "connection");
      const client = await connect(url, { transports: [transport] });
      const [socket]: Socket[] = await connected;
      assert.ok(socket);
      const reason = once(socket, "disconnect");
      await writable(socket.conn);
      const told = next(client, "disconnect");
      await listening.close();
      assert.equal((await told)[0], "transport close");
      assert.equal((await reason)[0], "server shutting down");
      assert.equal(service.io.engine.clientsCount, 0);
    });
  }

  test("delivers messages that were emitted right before it", async () => {
    const service = newService();
    const listening = await serve(service);
    const { url } = listening;
    const client = await connect(url, { transports: ["websocket"] });
    const heard = collect(client, "last words");
    const told = next(client, "disconnect");
    for (let i = 0; i < 100; i++) service.io.emit("last words", i);
    await listening.close();
    await told;
    assert.deepEqual(heard, [...Array(100).keys()]);
  });

  test("closes idle keep-alive connections", async () => {
    const service = newService();
    service.app.get("/", (c) => c.text("here"));
    const listening = await serve(service);
    const { port } = listening;
    const socket = connectTcp(port, "127.0.0.1");
    const ended = once(socket, "close");
    socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n");
    let answer = "";
    while (!answer.endsWith("here")) answer += String((await once(socket, "data"))[0]);
    await listening.close();
    await ended;
  });

  test("closes an author's own WebSocket with code 1001", async () => {
    const service = newService();
    service.app.get(
      "/ws",
      upgradeWebSocket(() => ({ onOpen: (_, socket) => socket.send("hello") })),
    );
    const listening = await serve(service);
    const { url } = listening;
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws`);
    await once(socket, "message");
    const closed = once(socket, "close");
    await listening.close();
    assert.equal((await closed)[0], 1001);
  });

  test("waits for a request that is under way, and accepts no new one", async () => {
    const service = newService();
    const gate = new EventEmitter();
    service.app.get("/slow", async (c) => {
      gate.emit("reached");
      await once(gate, "open");
      return c.text("done");
    });
    const listening = await serve(service);
    const { url, port } = listening;
    const reached = once(gate, "reached");
    const answer = fetch(`${url}/slow`).then((response) => response.text());
    await reached;
    let hasClosed = false;
    const closing = listening.close().finally(() => {
      hasClosed = true;
    });
    await refused(port);
    assert.equal(hasClosed, false);
    gate.emit("open");
    assert.equal(await answer, "done");
    await closing;
  });

  test("lets the service be served again, as if for the first time", async () => {
    const service = newService();
    let connections = 0;
    service.io.on("connection", (socket) => {
      connections++;
      socket.on("echo", (value, ack) => ack(value));
    });
    service.app.get("/", (c) => c.text("here"));
    for (const round of [1, 2, 3]) {
      const listening = await serve(service);
      const { url } = listening;
      assert.equal(await (await fetch(url)).text(), "here");
      for (const transports of [["polling"], ["websocket"]]) {
        const client = await connect(url, { transports });
        assert.equal(await client.emitWithAck("echo", round), round);
      }
      assert.equal(connections, 2 * round);
      assert.equal(service.io.engine.clientsCount, 2);
      await listening.close();
    }
  });

  test("leaves nothing that keeps the process running", async () => {
    const file = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const { status, stdout, stderr } = await runScript(`
      import { io } from "socket.io-client";
      import { createService } from ${file("../src/index.ts")};
      import { serve } from ${file(`../runtimes/${runtime}.ts`)};
      const listening = await serve(createService({ host: "127.0.0.1", port: 0, chat: false }));
      const { url } = listening;
      for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
        const client = io(url, { transports, forceNew: true, reconnection: false });
        await new Promise((resolve) => client.once("connect", resolve));
      }
      await (await fetch(url)).text();
      await listening.close();
      console.log("closed");
    `);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "closed\n", stderr: "" });
  });
});

describe("signal", () => {
  test("closes the service when it is aborted", async () => {
    const abort = new AbortController();
    const listening = await serve(newService(), { signal: abort.signal });
    const { url, port } = listening;
    const client = await connect(url, { transports: ["websocket"] });
    const told = next(client, "disconnect");
    abort.abort();
    assert.equal((await told)[0], "transport close");
    await refused(port);
    await listening.close();
  });

  test("makes serve() reject with its reason if it is aborted already, and the service can still be served", async () => {
    const service = newService();
    const reason = new Error("changed my mind");
    await assert.rejects(serve(service, { signal: AbortSignal.abort(reason) }), reason);
    await (await serve(service)).close();
  });

  test("does nothing when it is aborted after the service was closed and served again", async () => {
    const abort = new AbortController();
    const service = newService();
    await (await serve(service, { signal: abort.signal })).close();
    const listening = await serve(service);
    const { url } = listening;
    abort.abort();
    const client = await connect(url);
    client.disconnect();
    await listening.close();
  });
});
