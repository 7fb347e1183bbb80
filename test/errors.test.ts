/**
 * What a function of the author's throws, or rejects with, ends nothing but itself: it is logged, told to
 * `service.onError()`, and answered if the client waits for an acknowledgement. Bystanders notice nothing.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { requestId } from "hono/request-id";
import type { Namespace, Socket } from "socket.io";
import { type ErrorPlace, type Service, upgradeWebSocket } from "../src/index.ts";
import { connect, handshake, next, TRANSPORTS } from "./support/clients.ts";
import { runScript } from "./support/process.ts";
import { runtime } from "./support/runtime.ts";
import { withService } from "./support/service.ts";
import { inTime, until } from "./support/until.ts";

const fail = (): never => {
  throw new Error("the author's mistake");
};
const reject = async (): Promise<never> => fail();

type Client = Awaited<ReturnType<typeof connect>>;

/** A mistake of an author's. */
interface Mistake {
  /** The mistake in words that complete a test's name. */
  readonly what: string;
  /** What the place of the error is called. */
  readonly in: string;
  readonly setup: (service: Service) => unknown;
  /** What a client does to provoke the error, if connecting is not enough. */
  readonly provoke?: (client: Client, service: Service) => unknown;
}

/** Registers something on each socket. */
const onSocket = (register: (socket: Socket, io: Namespace) => unknown) => (service: Service) =>
  service.io.on("connection", (socket) => {
    register(socket, service.io.sockets);
  });

const emitOops = (client: Client) => client.emit("oops", 1);

/** Both ways in which a function fails. */
const ways: Record<string, () => unknown> = { throws: fail, rejects: reject };

const circular: { self?: unknown } = {};
circular.self = circular;

const mistakes: Mistake[] = [];
for (const [way, oops] of Object.entries(ways)) {
  mistakes.push(
    {
      what: `a listener of "connection" that ${way}`,
      in: 'a listener of "connection"',
      setup: ({ io }) => io.on("connection", oops),
    },
    {
      what: `a listener of an event that ${way}`,
      in: 'a listener of "oops"',
      setup: onSocket((socket) => socket.on("oops", oops)),
      provoke: emitOops,
    },
    {
      what: `a once-listener that ${way}`,
      in: 'a listener of "oops"',
      setup: onSocket((socket) => socket.once("oops", oops)),
      provoke: emitOops,
    },
    {
      what: `a prepended listener that ${way}`,
      in: 'a listener of "oops"',
      setup: onSocket((socket) => socket.prependOnceListener("oops", oops).prependListener("oops", () => {})),
      provoke: emitOops,
    },
    {
      what: `a listener of "disconnect" that ${way}`,
      in: 'a listener of "disconnect"',
      setup: onSocket((socket) => socket.on("disconnect", oops)),
      provoke: (client) => client.disconnect(),
    },
    {
      what: `a listener of "disconnecting" that ${way}`,
      in: 'a listener of "disconnecting"',
      setup: onSocket((socket) => socket.on("disconnecting", oops)),
      provoke: (client) => client.disconnect(),
    },
    {
      what: `a listener of "error" that ${way}`,
      in: 'a listener of "error"',
      setup: onSocket((socket) =>
        socket.on("error", oops).use(([event], next) => {
          next(event === "oops" ? new Error("refused") : undefined);
        }),
      ),
      provoke: emitOops,
    },
    {
      what: `a catch-all listener that ${way}`,
      in: "a catch-all listener",
      setup: onSocket((socket) => socket.onAny(oops)),
      provoke: emitOops,
    },
    {
      what: `a prepended catch-all listener that ${way}`,
      in: "a catch-all listener",
      setup: onSocket((socket) => socket.prependAny(oops)),
      provoke: emitOops,
    },
    {
      what: `a catch-all listener of outgoing events that ${way}`,
      in: "a catch-all listener",
      setup: onSocket((socket) => {
        socket.onAnyOutgoing(oops);
        socket.emit("news");
      }),
    },
    {
      what: `a catch-all listener that ${way} for a broadcast`,
      in: "a catch-all listener",
      setup: onSocket((socket, io) => {
        socket.prependAnyOutgoing(oops);
        io.emit("news");
      }),
    },
    {
      what: `a middleware of a socket that ${way}`,
      in: "a middleware of a socket",
      setup: onSocket((socket) => socket.use((event, next) => (event[0] === "oops" ? oops() : next()))),
      provoke: emitOops,
    },
    {
      what: `an acknowledgement that ${way}`,
      in: 'an acknowledgement of "question"',
      setup: onSocket((socket) => socket.on("oops", () => socket.emit("question", oops))),
      provoke: emitOops,
    },
    {
      what: `an acknowledgement that ${way} when it has timed out`,
      in: 'an acknowledgement of "unanswered"',
      setup: onSocket((socket) => socket.timeout(1).emit("unanswered", oops)),
    },
    {
      what: `an acknowledgement of a broadcast that ${way}`,
      in: 'an acknowledgement of the broadcast "question"',
      setup: onSocket((socket, io) =>
        socket.on("oops", () => io.to(socket.id).timeout(20_000).emit("question", oops)),
      ),
      provoke: emitOops,
    },
    {
      what: `an acknowledgement of a broadcast that ${way} when it has timed out`,
      in: 'an acknowledgement of the broadcast "unanswered"',
      setup: onSocket((_, io) => io.timeout(1).emit("unanswered", oops)),
    },
    {
      what: `a listener of an adapter's event that ${way}`,
      in: 'a listener of "join-room" of an adapter',
      setup: ({ io }) => io.of("/").adapter.on("join-room", oops),
    },
    {
      what: `a listener of io.engine that ${way}`,
      in: 'a listener of "connection" of io.engine',
      setup: ({ io }) => io.engine.on("connection", oops),
    },
    {
      what: `a listener of a session that ${way}`,
      in: 'a listener of "close" of a session',
      setup: ({ io }) => io.engine.on("connection", (session) => session.on("close", oops)),
      provoke: (client) => client.disconnect(),
    },
    {
      what: `a listener of socket.conn that ${way}`,
      in: 'a listener of "packet" of a session',
      setup: onSocket((socket) => socket.conn.on("packet", oops)),
      provoke: emitOops,
    },
    {
      what: `a listener of "new_namespace" that ${way}`,
      in: 'a listener of "new_namespace"',
      setup: ({ io }) => io.on("new_namespace", oops),
      provoke: (_, { io }) => io.of("/new"),
    },
  );
}
/** Throws what cannot be made a string. */
const failUnreadably = (): never => {
  throw Object.create(null);
};
for (const [way, oops] of Object.entries({ throws: failUnreadably, rejects: async () => failUnreadably() })) {
  mistakes.push({
    what: `a listener that ${way} with an object without a toString()`,
    in: 'a listener of "oops"',
    setup: onSocket((socket) => socket.on("oops", oops)),
    provoke: emitOops,
  });
}
mistakes.push(
  {
    what: "a BigInt that is emitted in a listener",
    in: 'a listener of "oops"',
    setup: onSocket((socket) => socket.on("oops", () => socket.emit("number", 1n))),
    provoke: emitOops,
  },
  {
    what: "circular data that is broadcast in a listener",
    in: 'a listener of "oops"',
    setup: onSocket((socket, io) => socket.on("oops", () => io.emit("circle", circular))),
    provoke: emitOops,
  },
  {
    what: "a BigInt that is acknowledged",
    in: 'a listener of "oops"',
    setup: onSocket((socket) => socket.on("oops", (_, ack) => ack(1n))),
    provoke: (client) => client.emit("oops", 1, () => {}),
  },
);

/** Serves a service with the setup, and calls `run` with the errors that service.onError() hears of. */
async function withErrors(
  setup: (service: Service) => unknown,
  run: (served: {
    url: string;
    ws: string;
    service: Service;
    errors: [unknown, ErrorPlace][];
  }) => Promise<void>,
): Promise<void> {
  const errors: [unknown, ErrorPlace][] = [];
  await withService(
    {},
    (service) => {
      service.onError((error, place) => errors.push([error, place]));
      setup(service);
      service.io.on("connection", (socket) => socket.on("echo", (value, ack) => ack(value)));
    },
    (served) => run({ ...served, errors }),
  );
}

for (const over of ["websocket", "polling"] as const) {
  describe(`Over ${over}`, () => {
    for (const { what, in: where, setup, provoke } of mistakes) {
      test(`${what} is reported, and a bystander notices nothing`, () =>
        withErrors(setup, async ({ url, service, errors }) => {
          const options = { transports: TRANSPORTS[over] };
          const bystander = await connect(url, options);
          const client = await connect(url, options);
          for (const one of [bystander, client]) one.on("question", (answer: () => void) => answer());
          provoke?.(client, service);
          await until(`an error in ${where}`, () => errors.some(([, place]) => place.in === where));
          assert.equal(await bystander.timeout(20_000).emitWithAck("echo", 7), 7);
          bystander.disconnect();
          client.disconnect();
        }));
    }
  });
}

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
