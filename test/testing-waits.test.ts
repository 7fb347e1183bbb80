/**
 * `hinoko/testing`: what its waits prove and say, clients that do not read, and that nothing is left open.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Socket as ServerSocket } from "socket.io";
import { type TestAppOptions, testService } from "../runtimes/testing.ts";
import type { Service } from "../src/index.ts";
import { overs, TRANSPORTS } from "./support/clients.ts";
import { runScript } from "./support/process.ts";
import { QUIET } from "./support/service.ts";
import { inTime, until } from "./support/until.ts";

/** A wait may take long: a busy machine must not fail a test. */
const OPTIONS: TestAppOptions = { settings: QUIET, timeout: 20_000 };

const chat = ({ io }: Service) => {
  io.on("connection", (socket) => {
    socket.on("say", (text: string) => io.emit("said", text));
    socket.on("say later", async (text: string, done: () => void) => {
      await sleep(20);
      io.emit("said", text);
      done();
    });
  });
};

test("next() says what it waited for, and what came instead", async () => {
  await using t = await testService(chat, OPTIONS);
  const client = await t.connect();
  await assert.rejects(client.next("said", 5), {
    message: 'Waited 5 ms for "said", but received nothing instead',
  });
  t.service.io.emit("joined", { name: "ann" }, 1);
  await client.emitWithAck("say later", "taken");
  await client.next("said");
  await assert.rejects(client.next("said", 5), {
    message: `Waited 5 ms for "said", but received "joined" ({ name: 'ann' }, 1) instead`,
  });
  for (let n = 0; n < 6; n++) t.service.io.emit("n", n);
  t.service.io.emit("last", "x".repeat(1000));
  await client.next("last");
  await assert.rejects(client.next("said", 5), {
    message: /^Waited 5 ms for "said", but received 2 other events, then "n" \(1\), .*"n" \(5\) instead$/,
  });
});

test("the error of a wait leads to the line of the test", async () => {
  await using t = await testService(chat, OPTIONS);
  const client = await t.connect("/", { timeout: 1000 });
  const stackOf = (waiting: Promise<unknown>) =>
    waiting.then(
      () => "",
      (error: Error) => error.stack ?? "",
    );
  const waitFor = async (wait: () => Promise<unknown>) => await wait();
  const waits = [
    () => client.next("said", 5),
    () => client.emitWithAck("nobody"),
    () => client.disconnected(),
  ];
  for (const stack of await Promise.all(waits.map((wait) => stackOf(waitFor(wait))))) {
    assert.match(stack, /testing-waits\.test\.ts/);
  }
});

test("next() takes the events of a name in order, each once, also those that came before", async () => {
  await using t = await testService(chat, OPTIONS);
  const client = await t.connect();
  const first = client.next("said");
  const second = client.next("said");
  for (const text of ["a", "b", "c"]) client.emit("say", text);
  assert.deepEqual([await second, await first], ["b", "a"]);
  assert.equal(await client.next("said"), "c");
  await client.nothing("said");
});

for (const over of overs) {
  test(`nothing() finds what another client's event leads to, without a wait before: ${over}`, async () => {
    await using t = await testService(chat, OPTIONS);
    const transports = TRANSPORTS[over];
    const ann = await t.connect("/", { transports });
    const bob = await t.connect("/", { transports });
    await bob.nothing("said");
    ann.emit("say", "hello");
    await assert.rejects(bob.nothing("said"), {
      message: `Expected no "said", but received "said" ('hello')`,
    });
    await bob.nothing("joined");
    await assert.rejects(bob.nothing(), { message: /^Expected no event, but/ });
    await ann.emitWithAck("say later", "later");
    assert.equal(await bob.next("said"), "hello");
    await assert.rejects(bob.nothing("said"), /'later'/);
    assert.equal(await bob.next("said"), "later");
    await bob.nothing();
  });
}

test("nothing() leaves no trace: also where any namespace is accepted, and a client that disconnects is gone", async () => {
  await using t = await testService(({ io }) => {
    io.of(/./);
  }, OPTIONS);
  const { io } = t.service;
  const client = await t.connect("/");
  const { id } = client.socket;
  await Promise.all([client.nothing(), client.nothing()]);
  await client.nothing();
  assert.equal(client.socket.id, id);
  client.disconnect();
  await until("the end of the session", () => io.engine.clientsCount === 0);
});

test("an acknowledgement, a connection and an end that do not come have names", async () => {
  await using t = await testService(({ io }) => {
    io.of("/slow").use(() => {});
  }, OPTIONS);
  const client = await t.connect("/", { timeout: 1000 });
  await Promise.all([
    assert.rejects(client.emitWithAck("say", "hello"), {
      message: 'Waited 1000 ms for an acknowledgement of "say" in vain',
    }),
    assert.rejects(client.disconnected(), {
      message: "Waited 1000 ms for the end of the connection in vain",
    }),
    assert.rejects(t.connect("/slow", { timeout: 5 }), {
      message: 'Waited 5 ms for the connection to "/slow" in vain',
    }),
  ]);
});

test("a server event that wants an acknowledgement gets it from the test", async () => {
  await using t = await testService(({ io }) => {
    io.on("connection", async (socket) => {
      socket.emit("answer", await socket.emitWithAck("question", 6, 7));
    });
  }, OPTIONS);
  const client = await t.connect();
  const [a, b, answer] = await client.next("question");
  answer(a * b);
  assert.equal(await client.next("answer"), 42);
});

for (const over of overs) {
  test(`the server finds out at once that it has lost a client: ${over}`, async () => {
    await using t = await testService((service) => {
      // An upgrade takes its time then, and is under way when the client is lost.
      service.app.use("/socket.io/", async (_, next) => {
        await sleep(1);
        return next();
      });
      chat(service);
    }, OPTIONS);
    for (const event of ["say", "said"]) {
      const client = await t.connect("/", { transports: TRANSPORTS[over], reconnection: false });
      const [socket] = t.service.io.sockets.sockets.values();
      assert.ok(socket);
      const ended = new Promise((resolve) => socket.on("disconnect", resolve));
      if (event === "say") client.emit("say", "hello");
      else socket.emit("said", "hello");
      await client.next("said");
      await client.drop();
      await inTime("the end of the session", ended);
    }
  });
}

/** Whether a message that is sent to the socket now leaves at once: not while its client does not read. */
const isWritable = ({ conn }: ServerSocket): boolean => conn.transport.writable;

test("a stalled client makes the server keep what it sends, in order, and drop what is volatile", async () => {
  await using t = await testService(chat, OPTIONS);
  const client = await t.connect();
  const [socket] = t.service.io.sockets.sockets.values();
  assert.ok(socket);
  client.stall();
  await assert.rejects(client.nothing("said"), {
    message: 'Cannot tell that no "said" comes to a client that is stalled',
  });
  socket.emit("large", "x".repeat(2_000_000));
  assert.ok(!isWritable(socket));
  t.service.io.emit("said", 1);
  socket.volatile.emit("said", 2);
  t.service.io.emit("said", 3);
  assert.equal(client.received.length, 0);
  client.resume();
  assert.equal(await client.next("said"), 1);
  assert.equal(await client.next("said"), 3);
  await client.nothing("said");
  assert.ok(isWritable(socket));
});

test("a stalled client on polling gets everything when it reads again", async () => {
  await using t = await testService(chat, OPTIONS);
  const client = await t.connect("/", { transports: ["polling"] });
  client.stall();
  for (let n = 0; n < 3; n++) t.service.io.emit("said", n);
  client.resume();
  for (let n = 0; n < 3; n++) assert.equal(await client.next("said"), n);
});

test("a stalled client that leaves too much unread is cut off, and can connect again", async () => {
  const settings = { ...QUIET, maxBuffered: 100_000 };
  await using t = await testService(chat, { ...OPTIONS, settings });
  const client = await t.connect();
  const [socket] = t.service.io.sockets.sockets.values();
  assert.ok(socket);
  const ended = new Promise((resolve) => socket.on("disconnect", resolve));
  client.stall();
  for (let n = 0; n < 30; n++) socket.emit("large", "x".repeat(100_000));
  assert.equal(await ended, "transport error");
  client.resume();
  await until("the loss of the old connection", () => client.socket.id !== socket.id);
  await client.connected();
  t.service.io.emit("said", "back");
  assert.equal(await client.next("said"), "back");
});

describe("nothing is left open, whatever the clients do: the process ends by itself", {
  concurrency: 2,
}, () => {
  for (const [where, options] of Object.entries({ "in memory": "", "on a port": "port: 0" })) {
    const isInMemory = where === "in memory";
    test(where, async () => {
      const { status, stdout, stderr } = await runScript(`
        import { testService } from "../../runtimes/testing.ts";
        const settings = { chat: false, logger: { info() {}, warn() {}, error() {} } };
        const t = await testService(({ io }) => {
          io.on("connection", (socket) => socket.on("bye", () => socket.disconnect(true)));
        }, { settings, timeout: 20_000, ${options} });
        const transports = [["polling"], ["websocket"], ["polling", "websocket"]];
        const clients = await Promise.all([...transports, ...transports, ...transports].map((transports) =>
          t.connect("/", { transports })));
        clients[0].drop().catch(() => {});
        clients[1].drop().catch(() => {});
        clients[3].stall(); // on polling
        ${isInMemory ? "clients[4].stall(); t.service.io.emit('large', 'x'.repeat(3_000_000));" : ""}
        clients[${isInMemory ? 5 : 7}].emit("bye");
        clients[6].next("never").catch((error) => console.log(error.message));
        clients[8].socket.io.socket("/").emit("late");
        await t.connect("/nowhere").catch((error) => console.log(error.message));
        const start = performance.now();
        await t.close();
        console.log("closed", performance.now() - start < 9_000);
      `);
      assert.equal(stderr, "");
      const [refused, waited, closed] = stdout.trim().split("\n");
      assert.equal(refused, "Invalid namespace");
      assert.match(
        waited ?? "",
        /^Waited for "never", but the client was disconnected \(io client disconnect\)/,
      );
      assert.equal(closed, "closed true");
      assert.equal(status, 0);
    });
  }
});
