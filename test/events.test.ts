/**
 * A contract of schemas from valibot, zod and arktype: bad events reach no listener, good ones reach it as the schemas
 * make them, what a listener returns is the acknowledgement, and the server is kept to the contract in development.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Socket } from "socket.io";
import * as v from "valibot";
import {
  type ContractService,
  createService,
  defineEvents,
  EventError,
  type ServiceOptions,
} from "../src/index.ts";
import { connect as connectAny, next } from "./support/clients.ts";
import { events } from "./support/contract.ts";
import { runScript, start, withFiles } from "./support/process.ts";
import { runtime, serve } from "./support/runtime.ts";
import { QUIET, withService } from "./support/service.ts";
import { inTime } from "./support/until.ts";

type Client = Awaited<ReturnType<typeof connectAny>>;

interface Served {
  readonly url: string;
  readonly service: ContractService<typeof events>;
  /** Connects a client that a test may have emit what the contract does not allow. */
  readonly connect: (namespace?: string) => Promise<Client>;
  /** The messages of the errors of the author's functions. */
  readonly errors: string[];
}

async function withContract(
  setup: (service: ContractService<typeof events>) => void,
  run: (served: Served) => Promise<void>,
  options: ServiceOptions = {},
): Promise<void> {
  const service = createService({ ...QUIET, ...options, events });
  const errors: string[] = [];
  service.onError((error) => errors.push(String(error)));
  setup(service);
  const { url, close } = await serve(service);
  const clients: Client[] = [];
  const connect = async (namespace = "") => {
    const client = await connectAny(url + namespace, { transports: ["websocket"], ackTimeout: 20_000 });
    clients.push(client);
    return client;
  };
  try {
    await run({ url, service, connect, errors });
  } finally {
    for (const client of clients) client.disconnect();
    await close();
  }
}

test("a listener gets what the schema makes of the data, and what it returns is the acknowledgement", () =>
  withContract(
    ({ io }) => {
      io.on("connection", (socket) => {
        socket.on("say", ({ text }) => ({ id: text.length }));
        socket.on("at", (date) => socket.emit("heard", "at", date.getTime()));
        socket.on("place", async (name, row) => `${name}${row}`);
        socket.on("optional", (text) => text);
        socket.on("ping", () => "pong");
      });
      io.of("/board").on("connection", (socket) =>
        socket.on("move", ({ card }) => ({ moved: io.of("/board").emit("moved", { card }) })),
      );
    },
    async ({ connect, errors }) => {
      const client = await connect();
      assert.deepEqual(await client.emitWithAck("say", { text: "  hello ", more: 1 }), { id: 5 });
      assert.equal(await client.emitWithAck("place", "a", 1), "a1");
      assert.equal(await client.emitWithAck("optional"), "default");
      assert.equal(await client.emitWithAck("ping"), "pong");
      const heard = next(client, "heard");
      client.emit("at", "2026-01-01");
      assert.deepEqual(await inTime("the event", heard), ["at", Date.UTC(2026)]);

      const board = await connect("/board");
      const moved = next(board, "moved");
      assert.deepEqual(await board.emitWithAck("move", { card: "a", to: 1 }), { moved: true });
      assert.deepEqual(await inTime("the broadcast", moved), [{ card: "a" }]);
      assert.deepEqual(errors, []);
    },
  ));

/** What is not in the contract, the data of it, and the paths of what is wrong with it. */
const BAD: Record<string, readonly [event: string, data: unknown[], paths: (string | number)[][]]> = {
  "is not of the schema of valibot": ["say", [{ text: 1 }], [["text"]]],
  "is not of the schema of zod": ["typing", ["yes"], [[]]],
  "is not of the asynchronous schema": ["slow", ["bad"], [[]]],
  "lacks its data": ["say", [], [[]]],
  "has too many arguments": ["typing", [true, false], [[]]],
  "has a bad one among several arguments": ["place", ["a", "b"], [[1]]],
  "is unknown": ["shout", ["hello"], [[]]],
  "is named like a member of every object": ["constructor", [], [[]]],
};

for (const [what, [event, data, paths]] of Object.entries(BAD)) {
  test(`an event that ${what} reaches no listener, and its client is told`, () => {
    const reached: unknown[] = [];
    const caught: unknown[] = [];
    return withContract(
      ({ io }) =>
        io.on("connection", (socket) => {
          socket.onAny((event) => caught.push(event));
          socket.use((_, proceed) => proceed());
          socket.on("typing", (typing) => reached.push(typing));
          socket.on("say", (said) => {
            reached.push(said);
            return { id: 1 };
          });
          socket.on("slow", (text) => text);
        }),
      async ({ connect, errors }) => {
        const client = await connect();
        const answer = await client.emitWithAck(event, ...data);
        const { issues } = answer.error;
        assert.deepEqual(answer, { error: { code: "INVALID", event, issues } });
        assert.deepEqual(
          issues.map(({ path }: { path: unknown }) => path),
          paths,
        );
        for (const issue of issues) assert.deepEqual(Object.keys(issue), ["message", "path"]);

        const told = next(client, "hinoko:error");
        client.emit(event, ...data);
        assert.deepEqual(await inTime("hinoko:error", told), [answer]);
        assert.deepEqual([reached, errors], [[], []]);
        assert.deepEqual(caught, [event, event], "catch-all listeners get what has come");
      },
    );
  });
}

test("an event of another namespace is judged by the contract of its own", () =>
  withContract(
    ({ io }) => io.of("/board").on("connection", (socket) => socket.on("move", () => ({ moved: true }))),
    async ({ connect }) => {
      const board = await connect("/board");
      const { error } = await board.emitWithAck("move", { card: "a", to: 10 });
      assert.deepEqual([error.code, error.event, error.issues[0].path], ["INVALID", "move", ["to"]]);
      assert.equal((await board.emitWithAck("typing", true)).error.code, "INVALID");
    },
  ));

test("while an event is validated asynchronously, the later ones of its socket wait", () => {
  const order: string[] = [];
  return withContract(
    ({ io }) =>
      io.on("connection", (socket) => {
        socket.on("slow", (text) => {
          order.push(text);
          return text;
        });
        socket.on("fast", (text) => order.push(text));
      }),
    async ({ connect }) => {
      const client = await connect();
      client.emit("slow", "the longest of all takes the most turns");
      client.emit("fast", "second");
      client.emit("slow", "bad");
      client.emit("slow", "third");
      client.emit("fast", "fourth");
      assert.equal(await client.emitWithAck("slow", "last"), "last");
      client.emit("fast", "after");
      assert.equal(await client.emitWithAck("slow", "end"), "end");
      const first = "the longest of all takes the most turns";
      assert.deepEqual(order, [first, "second", "third", "fourth", "last", "after", "end"]);
    },
  );
});

const refuse = (): never => {
  throw new EventError("FULL", "The room is full", { seats: 4 });
};
const FULL = { error: { code: "FULL", message: "The room is full", data: { seats: 4 } } };
const ways = { throws: refuse, "rejects with": async () => refuse() };

for (const [way, oops] of Object.entries(ways)) {
  test(`an EventError that a listener ${way} reaches its client, and is not logged`, () =>
    withContract(
      ({ io }) =>
        io.on("connection", (socket) => {
          socket.on("say", oops);
          socket.on("leave", oops);
        }),
      async ({ connect, errors }) => {
        const client = await connect();
        assert.deepEqual(await client.emitWithAck("say", { text: "hello" }), FULL);
        assert.deepEqual(await client.emitWithAck("leave"), FULL);
        const told = next(client, "hinoko:error");
        client.emit("leave");
        assert.deepEqual(await inTime("hinoko:error", told), [FULL]);
        assert.deepEqual(errors, []);
      },
    ));
}

test("any other error is unknown to the client, and reported", () =>
  withContract(
    ({ io }) =>
      io.on("connection", (socket) =>
        socket.on("say", () => {
          throw new Error("the author's mistake");
        }),
      ),
    async ({ connect, errors }) => {
      const client = await connect();
      const answer = await client.emitWithAck("say", { text: "hello" });
      assert.deepEqual(answer, { error: { code: "UNKNOWN_ERROR", message: "Internal server error" } });
      assert.deepEqual(errors, ["Error: the author's mistake"]);
    },
  ));

test("an event without an acknowledgement in the contract is acknowledged with nothing", () =>
  withContract(
    ({ io }) => io.on("connection", (socket) => socket.on("typing", () => "secret")),
    async ({ connect }) => {
      const client = await connect();
      assert.equal(await client.emitWithAck("typing", true), undefined);
    },
  ));

test("a listener that takes the acknowledgement as its last parameter answers by itself", () =>
  withContract(
    ({ io }) =>
      io.on("connection", (socket) => {
        // Past the types, which know no such parameter: this is how plain JavaScript does it.
        const listener = ({ text }: { text: string }, ack: (answer: unknown) => void) =>
          ack({ id: text.length });
        const untyped: unknown = socket;
        if (untyped instanceof Socket) untyped.on("say", listener);
      }),
    async ({ connect }) => {
      const client = await connect();
      assert.deepEqual(await client.emitWithAck("say", { text: "hello" }), { id: 5 });
    },
  ));

/** What is emitted that the contract does not have, by the way it is emitted. */
const emits: Record<string, (service: ContractService<typeof events>) => unknown> = {
  "io.emit()": ({ io }) => io.emit("said", JSON.parse('{ "id": "1" }')),
  "io.to().emit()": ({ io }) => io.to("room").emit("said", JSON.parse('{ "id": "1" }')),
  "socket.emit()": ({ io }) => [...io.sockets.sockets.values()][0]?.emit("said", JSON.parse('{ "id": "1" }')),
  "socket.broadcast.emit()": ({ io }) =>
    [...io.sockets.sockets.values()][0]?.broadcast.emit("said", JSON.parse('{ "id": "1" }')),
};

for (const [way, emit] of Object.entries(emits)) {
  test(`in development ${way} throws for data that is not in the contract, and in production it does not`, async () => {
    const message =
      'Cannot emit the event "said" of the namespace "/": id: Invalid type: Expected number but received "1"; ' +
      'text: Invalid key: Expected "text" but received undefined';
    await withContract(
      () => {},
      async ({ connect, service }) => {
        await connect();
        assert.throws(() => emit(service), { name: "TypeError", message });
      },
    );
    await withContract(
      () => {},
      async ({ connect, service }) => {
        await connect();
        assert.ok(emit(service));
      },
      { production: true, allowedHosts: "*" },
    );
  });
}

test("in development an answer that is not in the contract is reported, and in production it is sent", async () => {
  const setup = ({ io }: ContractService<typeof events>) =>
    io.on("connection", (socket) => socket.on("say", () => JSON.parse('{ "id": "1" }')));
  await withContract(setup, async ({ connect, errors }) => {
    const answer = await (await connect()).emitWithAck("say", { text: "hello" });
    assert.equal(answer.error.code, "UNKNOWN_ERROR");
    assert.match(errors.join(), /^TypeError: Cannot emit the acknowledgement of "say": id: Invalid type/);
  });
  await withContract(
    setup,
    async ({ connect }) =>
      assert.deepEqual(await (await connect()).emitWithAck("say", { text: "hello" }), { id: "1" }),
    { production: true, allowedHosts: "*" },
  );
});

test("an EventError reaches the client without a contract, too", () =>
  withService(
    {},
    ({ io }) => io.on("connection", (socket) => socket.on("anything", refuse)),
    async ({ url }) => {
      const client = await connectAny(url, { transports: ["websocket"], ackTimeout: 20_000 });
      assert.deepEqual(await client.emitWithAck("anything"), FULL);
      client.disconnect();
    },
  ));

test("with ERRORS=exit an EventError is answered, and any other error is uncaught", async () => {
  const { status, stdout, stderr } = await runScript(`
    import { io as connect } from "socket.io-client";
    import { createService, EventError } from "../../src/index.ts";
    import { serve } from "../../runtimes/${runtime}.ts";
    import { events } from "../support/contract.ts";
    const service = createService({ events, allowedHosts: "*", errors: "exit" });
    service.io.on("connection", (socket) => {
      socket.on("ping", () => { throw new EventError("FULL", "The room is full"); });
      socket.on("leave", () => { throw new Error("the author's mistake"); });
    });
    const { url } = await serve(service, { port: 0, hostname: "127.0.0.1" });
    const client = connect(url);
    console.log(JSON.stringify(await client.emitWithAck("ping")));
    console.log(JSON.stringify(await client.emitWithAck("typing", "bad")));
    client.emit("leave");
  `);
  assert.notEqual(status, 0);
  assert.match(stdout, /"code":"FULL".*\n.*"code":"INVALID"/);
  assert.match(stderr, /the author's mistake/);
});

test("the command takes the contract that an app exports as events", () =>
  withFiles(
    {
      "app.mjs": `
        const text = { "~standard": { version: 1, vendor: "mine", validate: (value) => ({ value: String(value) }) } };
        export const events = { client: { say: { data: text, ack: text } } };
        export default ({ io }) => io.on("connection", (socket) => socket.on("say", (text) => text));
      `,
    },
    async (folder) => {
      const running = await start(["127.0.0.1:0", "--app", join(folder, "app.mjs")]);
      try {
        const client = await connectAny(running.url, { transports: ["websocket"], ackTimeout: 20_000 });
        assert.equal(await client.emitWithAck("say", 7), "7");
        assert.equal((await client.emitWithAck("shout", 7)).error.code, "INVALID");
        client.disconnect();
      } finally {
        await running.kill();
      }
    },
  ));

test("listeners are listed, counted and removed as they were added", () =>
  withContract(
    ({ io }) =>
      io.on("connection", (socket) => {
        const listener = () => {};
        socket.on("fast", listener).once("fast", listener);
        assert.deepEqual(socket.listeners("fast"), [listener, listener]);
        socket.off("fast", listener).off("fast", listener);
        socket.on("optional", () => String(socket.listenerCount("fast")));
      }),
    async ({ connect, errors }) => {
      const client = await connect();
      assert.equal(await client.emitWithAck("optional"), "0");
      assert.deepEqual(errors, []);
    },
  ));

test("defineEvents() refuses what is no schema, and reserved names", () => {
  // @ts-expect-error: not a schema
  assert.throws(() => defineEvents({ client: { say: "string" } }), {
    message:
      'The event "say" of the namespace "/" must be a schema with "~standard", an array of schemas, or ' +
      "{ data, ack } of schemas (got string)",
  });
  assert.throws(() => defineEvents({ server: { disconnect: v.string() } }), {
    message: 'The event "disconnect" of the namespace "/" needs another name: this one is reserved',
  });
  assert.throws(() => defineEvents({ namespaces: { board: {} } }), {
    message: 'The name of a namespace must start with "/" (got "board")',
  });
  assert.throws(() => defineEvents({ namespaces: { "/": {} } }), {
    message: 'The events of the namespace "/" are the contract\'s own `client` and `server`',
  });
});
