/**
 * What a function of the author's throws, or rejects with, ends nothing but itself: it is reported, and bystanders notice
 * nothing.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Service } from "../src/index.ts";
import { connect, TRANSPORTS } from "./support/clients.ts";
import { onSocket, ways, withErrors } from "./support/errors.ts";
import { until } from "./support/until.ts";

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

const emitOops = (client: Client) => client.emit("oops", 1);

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
