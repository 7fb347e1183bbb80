/**
 * `hinoko/testing`: a service in memory, or on a port, and clients that connect to it through the whole Hono chain.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hc } from "hono/client";
import { getCookie } from "hono/cookie";
import { ConnectError, type TestAppOptions, testService } from "../runtimes/testing.ts";
import { createService, getConnInfo, type Service, variablesOf } from "../src/index.ts";
import { overs, TRANSPORTS } from "./support/clients.ts";
import { QUIET } from "./support/service.ts";
import { inTime, until } from "./support/until.ts";

declare module "hono" {
  interface ContextVariableMap {
    visitor: { session: string | undefined; color: string | undefined; address: string | undefined };
  }
}

/** Both ways to serve a service. A wait may take long: a busy machine must not fail a test. */
const MEMORY: TestAppOptions = { settings: QUIET, timeout: 20_000 };
const PORT: TestAppOptions = { ...MEMORY, port: 0 };
const NETWORKS = { "in memory": MEMORY, "on a port": PORT };

/** Has each client hear what any of them says. */
const chat = ({ io }: Service) => {
  io.on("connection", (socket) => {
    socket.on("say", (text: string, done?: (answer: string) => void) => {
      io.emit("said", text);
      done?.(text.toUpperCase());
    });
  });
};

for (const [where, options] of Object.entries(NETWORKS)) {
  describe(where, () => {
    for (const over of overs) {
      const transports = TRANSPORTS[over];

      test(`clients talk, and an acknowledgement arrives: ${over}`, async () => {
        await using t = await testService(chat, options);
        const ann = await t.connect("/", { transports });
        const bob = await t.connect("/", { transports });
        ann.emit("say", "hello");
        assert.equal(await bob.next("said"), "hello");
        assert.equal(await ann.emitWithAck("say", "again"), "AGAIN");
        assert.equal(await bob.next("said"), "again");
        assert.deepEqual(bob.received, [
          { event: "said", args: ["hello"] },
          { event: "said", args: ["again"] },
        ]);
        await bob.nothing();
      });

      test(`a middleware refuses a client with status and body: ${over}`, async () => {
        await using t = await testService(({ app }) => {
          app.use("/socket.io/", async (c) => c.json({ error: "who are you?" }, 401));
        }, options);
        await assert.rejects(t.connect("/", { transports }), {
          name: "ConnectError",
          message: 'The connection was refused with 401: {"error":"who are you?"}',
          status: 401,
          body: { error: "who are you?" },
        });
        assert.equal(t.service.io.engine.clientsCount, 0);
      });

      test(`headers, cookies and auth arrive, and c.var reaches the socket: ${over}`, async () => {
        await using t = await testService(({ app, io }) => {
          app.use("/socket.io/", async (c, next) => {
            const { address } = getConnInfo(c).remote;
            c.set("visitor", { session: getCookie(c, "session"), color: c.req.header("x-color"), address });
            return next();
          });
          io.on("connection", (socket) => {
            socket.emit("you", variablesOf(socket).visitor, socket.handshake.auth, socket.handshake.address);
          });
        }, options);
        const client = await t.connect("/", {
          transports,
          headers: { "x-color": "red", cookie: "a=b" },
          cookies: { session: "an id; with signs" },
          auth: { token: "secret" },
          ...(where === "in memory" && { address: "192.0.2.7" }),
        });
        const address = where === "in memory" ? "192.0.2.7" : "127.0.0.1";
        const visitor = { session: "an id; with signs", color: "red", address };
        assert.deepEqual(await client.next("you"), [visitor, { token: "secret" }, address]);
      });

      test(`a lost connection comes back, with what was sent meanwhile: ${over}`, async () => {
        const socketio = { connectionStateRecovery: {} };
        await using t = await testService(chat, { ...options, settings: { ...QUIET, socketio } });
        const client = await t.connect("/", { transports });
        t.service.io.emit("said", "before");
        assert.equal(await client.next("said"), "before");
        const [socket] = t.service.io.sockets.sockets.values();
        assert.ok(socket);
        const ended = once(socket, "disconnect");
        await client.drop();
        await inTime("the end of the session", ended);
        t.service.io.emit("said", "meanwhile");
        await client.connected();
        assert.equal(await client.next("said"), "meanwhile");
        assert.ok(client.socket.recovered);
      });
    }

    test("the guards, a middleware of io, and a namespace that is not there refuse a client", async () => {
      await using t = await testService(({ io }) => {
        io.of("/board").use((socket, next) => {
          const error = Object.assign(new Error("not your board"), {
            data: { team: socket.handshake.auth["team"] },
          });
          next(error);
        });
      }, options);
      const foreign = { headers: { origin: "http://evil.example" } };
      await assert.rejects(t.connect("/", foreign), { name: "ConnectError", status: 400 });
      await assert.rejects(t.connect("/board", { auth: { team: "blue" } }), {
        name: "ConnectError",
        message: "not your board",
        status: undefined,
        data: { team: "blue" },
      });
      await assert.rejects(t.connect("/nowhere"), { message: "Invalid namespace" });
    });

    test("a client that the server disconnects is told so, and waits for nothing any more", async () => {
      await using t = await testService(({ io }) => {
        io.on("connection", (socket) => socket.on("bye", () => socket.disconnect()));
      }, options);
      const client = await t.connect();
      const waiting = assert.rejects(client.next("said"), {
        message:
          'Waited for "said", but the client was disconnected (io server disconnect); received nothing before',
      });
      client.emit("bye");
      assert.equal(await client.disconnected(), "io server disconnect");
      await waiting;
      await assert.rejects(client.next("said"), /the client was disconnected/);
      await assert.rejects(client.nothing(), {
        message: "Cannot tell that no event comes to a client without a connection",
      });
    });

    test("a client upgrades from polling to WebSocket, and nothing is lost", async () => {
      await using t = await testService(chat, options);
      const client = await t.connect("/", { transports: ["polling", "websocket"] });
      const { engine } = client.socket.io;
      const numbers = Array.from({ length: 50 }, (_, n) => n);
      for (const n of numbers) {
        t.service.io.emit("said", n);
        await sleep(0);
      }
      await until("the upgrade", () => engine.transport.name === "websocket");
      for (const n of numbers) assert.equal(await client.next("said"), n);
    });

    test("binary data arrives, and is the receiver's own", async () => {
      await using t = await testService(({ io }) => {
        io.on("connection", (socket) => socket.on("echo", (data: Uint8Array) => socket.emit("echo", data)));
      }, options);
      const bytes = new Uint8Array([1, 2, 3]);
      const client = await t.connect();
      client.emit("echo", bytes);
      const echo: Uint8Array = await client.next("echo");
      assert.deepEqual([...echo], [1, 2, 3]);
      assert.notEqual(echo.buffer, bytes.buffer);
    });

    test("t.request() makes requests through the guards", async () => {
      await using t = await testService(({ app }) => {
        app.post("/hello", async (c) => c.text(`${await c.req.text()} ${getCookie(c, "name")}`));
      }, options);
      const answer = await t.request("/hello", { method: "POST", body: "hello", cookies: { name: "ann" } });
      assert.equal(await answer.text(), "hello ann");
      const same = await t.request(new Request(`${t.url}/hello`, { method: "POST", body: "hello" }));
      assert.equal(await same.text(), "hello undefined");
      assert.equal((await t.request("/nowhere")).status, 404);
    });
  });
}

test("in memory, the host is checked, and is that of the URL", async () => {
  const settings = { ...QUIET, allowedHosts: ["example.org"] };
  await using t = await testService(({ app }) => app.get("/url", (c) => c.text(c.req.url)), {
    ...MEMORY,
    settings,
  });
  const headers = { host: "www.example.org" };
  assert.equal((await t.request("/url", { headers })).status, 400);
  await assert.rejects(t.connect("/", { headers }), {
    status: 400,
    body: "Bad Request: this host is not served here",
  });
  assert.equal(t.url, "http://example.org");
  assert.equal(await (await t.request("/url")).text(), "http://example.org/url");
  assert.equal(
    await (await t.request("/url", { headers: { host: "example.org:8" } })).text(),
    "http://example.org:8/url",
  );
  await t.connect();
});

test("in memory, an address is the client's, or a proxy's that is trusted", async () => {
  const settings = { ...QUIET, trustProxy: "10.0.0.0/8" };
  await using t = await testService(({ app }) => app.get("/", (c) => c.json(getConnInfo(c).remote)), {
    ...MEMORY,
    settings,
  });
  const headers = { "x-forwarded-for": "192.0.2.1" };
  const ask = async (address?: string) => {
    const answer = await t.request("/", { headers, ...(address !== undefined && { address }) });
    return answer.json();
  };
  assert.deepEqual(await ask(), { address: "127.0.0.1", addressType: "IPv4" });
  assert.deepEqual(await ask("2001:db8::1"), { address: "2001:db8::1", addressType: "IPv6" });
  assert.deepEqual(await ask("10.1.2.3"), { address: "192.0.2.1" });
});

test("Hono's client makes its requests in memory", async () => {
  const service = createService(QUIET);
  const routes = service.app.get("/hello/:name", (c) => c.json({ hello: c.req.param("name") }));
  await using t = await testService(service);
  const client = hc<typeof routes>(t.url, { fetch: t.request });
  const answer = await client.hello[":name"].$get({ param: { name: "ann" } });
  assert.deepEqual(await answer.json(), { hello: "ann" });
});

test("on a port, an address cannot be chosen, and a WebSocket cannot be stalled", async () => {
  await using t = await testService(chat, PORT);
  assert.throws(() => t.connect("/", { address: "192.0.2.1" }), {
    message: 'address can be chosen in memory only, not on a port (got "192.0.2.1")',
  });
  assert.throws(() => t.request("/", { address: "192.0.2.1" }), TypeError);
  const client = await t.connect();
  assert.throws(() => client.stall(), TypeError);
});

test("in memory, 100 clients get a broadcast", async () => {
  await using t = await testService(chat, MEMORY);
  const clients = await Promise.all(Array.from({ length: 100 }, () => t.connect()));
  t.service.io.emit("said", "all");
  assert.deepEqual(await Promise.all(clients.map((client) => client.next("said"))), Array(100).fill("all"));
  for (const client of clients) assert.equal(client.received.length, 1);
});

test("a service can be given, with the types of its events", async () => {
  interface ClientEvents {
    add: (a: number, b: number, done: (sum: number) => void) => void;
  }
  interface ServerEvents {
    sum: (sum: number) => void;
    none: () => void;
    pair: (a: number, b: string) => void;
  }
  const service = createService<ClientEvents, ServerEvents>(QUIET);
  service.io.on("connection", (socket) => {
    socket.on("add", (a, b, done) => {
      socket.emit("sum", a + b);
      socket.emit("none");
      socket.emit("pair", a, String(b));
      done(a + b);
    });
  });
  await using t = await testService(service, { timeout: 20_000 });
  assert.equal(t.service, service);
  const client = await t.connect("/");
  const acknowledged: number = await client.emitWithAck("add", 1, 2);
  const sum: number = await client.next("sum");
  const none: [] = await client.next("none");
  const pair: [number, string] = await client.next("pair");
  assert.deepEqual([acknowledged, sum, none, pair], [3, 3, [], [1, "2"]]);
  // @ts-expect-error: the server sends no such event
  await client.nothing("add");
  await assert.rejects(testService(service), { message: /^This service is being served already/ });
});

test("an app that fails has the test fail with its error", async () => {
  await assert.rejects(
    testService(async () => {
      throw new Error("no database");
    }, MEMORY),
    { message: "no database" },
  );
  assert.ok(new ConnectError("refused", { status: 401 }) instanceof Error);
});
