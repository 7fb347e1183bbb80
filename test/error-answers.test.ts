/**
 * What becomes of an error of an author's function besides its report: what the client is told, what the log says, and
 * what an author sees of the functions that contain it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { requestId } from "hono/request-id";
import { upgradeWebSocket } from "../src/index.ts";
import { connect, handshake, next } from "./support/clients.ts";
import { fail, onSocket, reject, ways, withErrors } from "./support/errors.ts";
import { runScript } from "./support/process.ts";
import { runtime } from "./support/runtime.ts";
import { withService } from "./support/service.ts";
import { inTime, until } from "./support/until.ts";

test("a client that waits for an acknowledgement gets an error in it, which tells nothing of the mistake", () =>
  withErrors(
    onSocket((socket) => {
      socket.on("throws", fail);
      socket.on("rejects", reject);
      socket.on("late", async (ack) => {
        ack("done");
        fail();
      });
      socket.use(([event], next) => (event === "refused" ? fail() : next()));
    }),
    async ({ url, errors }) => {
      const client = await connect(url, { transports: ["websocket"] });
      const failure = { error: { code: "UNKNOWN_ERROR", message: "Internal server error" } };
      for (const event of ["throws", "rejects", "refused"])
        assert.deepEqual(await client.timeout(20_000).emitWithAck(event), failure, event);
      assert.equal(await client.timeout(20_000).emitWithAck("late"), "done");
      await until("four errors", () => errors.length === 4);
      client.disconnect();
    },
  ));

for (const [way, oops] of Object.entries(ways)) {
  test(`a middleware of a namespace that ${way} refuses its client, and tells it nothing of the mistake`, () =>
    withErrors(
      ({ io }) => io.use((socket, next) => (socket.handshake.auth["bad"] ? oops() : next())),
      async ({ url, errors }) => {
        const refused = connect(url, { transports: ["websocket"], auth: { bad: true } });
        await assert.rejects(refused, { message: "Internal server error", data: { code: "UNKNOWN_ERROR" } });
        assert.equal(errors[0]?.[1].in, "a middleware of a namespace");
        (await connect(url, { transports: ["websocket"] })).disconnect();
      },
    ));

  test(`a function given to io.of() that ${way} makes no namespace`, () =>
    withErrors(
      ({ io }) => io.of(() => oops()),
      async ({ url, errors }) => {
        await assert.rejects(connect(`${url}/any`), { message: "Invalid namespace" });
        assert.deepEqual(errors[0]?.[1], { in: "a function that was given to io.of()", namespace: "/any" });
        (await connect(url)).disconnect();
      },
    ));

  test(`a listener of a dynamic namespace that ${way} is reported with the name of the namespace`, () =>
    withErrors(
      ({ io }) => io.of(/^\/board-\d+$/).on("connection", oops),
      async ({ url, errors }) => {
        const client = await connect(`${url}/board-1`);
        await until("the error", () => errors.length > 0);
        assert.equal(errors[0]?.[1].namespace, "/board-1");
        client.disconnect();
      },
    ));

  test(`a listener of a WebSocket route that ${way} is reported`, () =>
    withErrors(
      ({ app }) =>
        app.get(
          "/ws",
          upgradeWebSocket(() => ({ onMessage: oops })),
        ),
      async ({ ws, errors }) => {
        const { socket } = await handshake(`${ws}/ws`);
        socket?.send("hello");
        await until("the error", () => errors.length > 0);
        assert.equal(errors[0]?.[1].in, "onMessage of a WebSocket route");
        socket?.close();
      },
    ));
}

test("a listener of connection_error that throws does not keep the client from its answer", () =>
  withErrors(
    ({ io }) => io.engine.on("connection_error", fail),
    async ({ url, errors }) => {
      const answer = await fetch(`${url}/socket.io/?EIO=4&transport=nope`);
      assert.equal(answer.status, 400);
      assert.deepEqual(await answer.json(), { code: 0, message: "Transport unknown" });
      assert.equal(errors[0]?.[1].in, 'a listener of "connection_error" of io.engine');
    },
  ));

test("what a listener throws is reported though it cannot be shown as text", () => {
  const shapeless = Object.create(null);
  return withErrors(
    onSocket((socket) =>
      socket.on("oops", () => {
        throw shapeless;
      }),
    ),
    async ({ url, errors }) => {
      const client = await connect(url);
      client.emit("oops");
      await until("the error", () => errors[0]?.[0] === shapeless);
      client.disconnect();
    },
  );
});

test("the log and the place name the event, the namespace, the socket and the request", async () => {
  const lines: string[] = [];
  const logger = { info() {}, warn() {}, error: (line: unknown) => lines.push(String(line)) };
  await withService(
    { logger },
    ({ app, io, onError }) => {
      onError(fail); // its own mistake is logged too, and ends nothing
      app.use(requestId({ generator: () => "request-1" }));
      io.of("/board").on("connection", (socket) => socket.on("oops", fail));
    },
    async ({ url, service: { io } }) => {
      const client = await connect(`${url}/board`, { transports: ["websocket"] });
      client.emit("oops");
      client.emit("oops");
      await until("two lines", () => lines.length >= 2);
      const [id] = io.of("/board").sockets.keys();
      const where = `a listener of "oops" (namespace /board, socket ${id}, request request-1)`;
      assert.deepEqual(lines, [`Error in ${where}:`, "Error in a listener of service.onError():"]);
      client.disconnect();
    },
  );
});

test("an acknowledgement that the client has not asked for is a function that does nothing", () =>
  withErrors(
    onSocket((socket) =>
      socket.on("save", (data, ack) => {
        ack("saved");
        socket.emit("heard", data, typeof ack);
      }),
    ),
    async ({ url, errors }) => {
      const client = await connect(url, { transports: ["websocket"] });
      const heard = next(client, "heard");
      client.emit("save", 1);
      assert.deepEqual(await inTime("the event", heard), [1, "function"]);
      const heardNothing = next(client, "heard");
      client.emit("save");
      assert.deepEqual(await inTime("the event", heardNothing), [null, "function"]);
      assert.deepEqual(errors, []);
      client.disconnect();
    },
  ));

test("an argument that the client has left out is emitted on as one that is missing, and not as a function", () =>
  withErrors(
    onSocket((socket, io) =>
      socket.on("chat", (text, to) => {
        socket.emit("alone", text, to);
        io.emit("all", text, to);
        io.to(socket.id).emit("room", text, to);
      }),
    ),
    async ({ url }) => {
      const client = await connect(url, { transports: ["websocket"] });
      const heard = ["alone", "all", "room"].map((event) => next(client, event));
      client.emit("chat", "hi");
      for (const event of heard) assert.deepEqual(await inTime("the event", event), ["hi", null]);
      client.disconnect();
    },
  ));

test("listeners are listed, counted and removed as they were added", () =>
  withErrors(
    onSocket((socket) => {
      const [on, once, any] = [() => {}, () => {}, () => {}];
      socket.on("event", on).once("event", once).onAny(any).onAnyOutgoing(any);
      assert.deepEqual(socket.listeners("event"), [on, once]);
      socket.off("event", once).off("event", on).offAny(any).offAnyOutgoing(any);
      const { length } = [...socket.listenersAny(), ...socket.listenersAnyOutgoing()];
      socket.on("count", (ack) => ack(socket.listenerCount("event") + length));
    }),
    async ({ url, errors }) => {
      const client = await connect(url, { transports: ["websocket"] });
      assert.equal(await client.timeout(20_000).emitWithAck("count"), 0);
      assert.deepEqual(errors, []);
      client.disconnect();
    },
  ));

test("with ERRORS=exit a mistake is uncaught, as with Socket.IO alone", async () => {
  const { status, stderr } = await runScript(`
    import { io as connect } from "socket.io-client";
    import { createService } from "../../src/index.ts";
    import { serve } from "../../runtimes/${runtime}.ts";
    const service = createService({ allowedHosts: "*", errors: "exit" });
    service.io.on("connection", () => { throw new Error("the author's mistake"); });
    const { url } = await serve(service, { port: 0, hostname: "127.0.0.1" });
    connect(url);
  `);
  assert.notEqual(status, 0);
  assert.match(stderr, /the author's mistake/);
});
