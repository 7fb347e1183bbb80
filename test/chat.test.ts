/**
 * The demo chat, as its clients see it: rooms, taken names, presence, typing, delivery, and invalid requests.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Socket } from "socket.io-client";
import { connect, next } from "./support/clients.ts";
import { withService } from "./support/service.ts";

/** Defines a test with the chat. The clients that it opens are closed afterwards. */
function chatTest(name: string, body: (open: () => Promise<Socket>) => Promise<void>): void {
  test(name, () =>
    withService({ chat: true }, async ({ url }) => {
      const clients: Socket[] = [];
      try {
        await body(async () => {
          const client = await connect(`${url}/chat`);
          clients.push(client);
          return client;
        });
      } finally {
        for (const client of clients) client.disconnect();
      }
    }),
  );
}

const join = (client: Socket, name: string, room = "lobby") => client.emitWithAck("join", { name, room });

chatTest(
  "a message reaches the others in the room once, and its sender is told that it was delivered",
  async (open) => {
    const [ann, ben, eve] = [await open(), await open(), await open()];
    await join(ann, "Ann");
    await join(ben, "Ben");
    await join(eve, "Eve", "elsewhere");
    const heard: unknown[] = [];
    for (const client of [ann, ben, eve])
      client.on("message", ({ name, text, id }) => heard.push([name, text, id]));

    const reply = await ann.emitWithAck("message", { text: "  sparks  " });
    assert.equal(reply.ok, true);
    assert.equal(typeof reply.time, "number");
    await ben.emitWithAck("typing", { active: false }); // its ack comes after everything that was sent before
    assert.deepEqual(heard, [["Ann", "sparks", reply.id]]);
  },
);

chatTest("the others are told who joins, switches rooms, leaves or loses the connection", async (open) => {
  const [ann, ben, cat] = [await open(), await open(), await open()];
  const first = await join(ann, "Ann");
  assert.deepEqual(first.members, ["Ann"]);

  const changes: unknown[] = [];
  const change = async () => {
    const [presence] = await next(ann, "presence");
    changes.push(presence);
  };
  const steps: (() => unknown)[] = [
    () => join(ben, "Ben"),
    () => join(ben, "Ben", "elsewhere"),
    () => join(cat, "Cat"),
    () => cat.emitWithAck("leave"),
    () => join(cat, "Cat"),
    () => cat.io.engine.close(),
  ];
  for (const step of steps) await Promise.all([change(), step()]);
  const expected = [
    ["joined", "Ben", ["Ann", "Ben"]],
    ["left", "Ben", ["Ann"]],
    ["joined", "Cat", ["Ann", "Cat"]],
    ["left", "Cat", ["Ann"]],
    ["joined", "Cat", ["Ann", "Cat"]],
    ["left", "Cat", ["Ann"]],
  ];
  assert.deepEqual(
    changes,
    expected.map(([change, name, members]) => ({ room: "lobby", change, name, members })),
  );
});

chatTest(
  "only one client can have a name in a room, whatever the letter case, until it has left",
  async (open) => {
    const [ann, rival] = [await open(), await open()];
    await join(ann, "Ann");
    assert.deepEqual(await join(rival, "ANN"), {
      ok: false,
      error: 'name is taken in room lobby, choose another (got "ANN")',
    });
    assert.equal((await join(rival, "ANN", "elsewhere")).ok, true);
    const left = next(rival, "presence");
    assert.equal((await join(rival, "Rival")).ok, true);
    ann.disconnect();
    await left;
    assert.equal((await join(rival, "ann")).ok, true);
  },
);

chatTest("a client takes its name back from its own lost connection", async (open) => {
  const [old, renewed] = [await open(), await open()];
  const { key } = await join(old, "Ann");
  const dropped = next(old, "disconnect");
  const reply = await renewed.emitWithAck("join", { name: "Ann", room: "lobby", key });
  assert.deepEqual([reply.ok, reply.members], [true, ["Ann"]]);
  assert.deepEqual((await dropped)[0], "io server disconnect");
});

chatTest("typing is relayed to the others", async (open) => {
  const [ann, ben] = [await open(), await open()];
  await join(ann, "Ann");
  await join(ben, "Ben");
  const typing = next(ben, "typing");
  assert.deepEqual(await ann.emitWithAck("typing", { active: true }), { ok: true });
  assert.deepEqual(await typing, [{ room: "lobby", name: "Ann", active: true }]);
});

const bad: [string, unknown[], RegExp][] = [
  ["join", [{ name: "", room: "lobby" }], /^name must be .*\(got ""\)$/],
  ["join", [{ name: "x".repeat(33), room: "lobby" }], /^name must be .*\(got "x{33}"\)$/],
  ["join", [{ name: "a\u0000b", room: "lobby" }], /^name must be /],
  ["join", [{ name: "Ann", room: "no way/../" }], /^room must be .*\(got "no way\/..\/"\)$/],
  ["join", [{ name: 1, room: "lobby" }], /^name must be .*\(got 1\)$/],
  ["join", [{ name: "Ann" }], /room/],
  ["join", [{ name: "Ann", room: "lobby", admin: true }], /unknown key "admin"/],
  ["join", [null], /^join takes .*\(got null\)$/],
  ["join", ["Ann"], /^join takes .*\(got "Ann"\)$/],
  ["join", [], /^join takes .*\(got nothing\)$/],
  ["join", [{ name: "Ann", room: "lobby" }, "more"], /^join takes one argument \(got 2\)$/],
  ["message", [{ text: "hello" }], /^join a room first/],
  ["message", [{ text: "   " }], /^text must be /],
  ["message", [{ text: "x".repeat(2001) }], /^text must be /],
  ["message", [{ text: { toString: "x" } }], /^text must be .*an object/],
  ["typing", [{ active: "yes" }], /^active must be true or false \(got "yes"\)$/],
  ["leave", [1], /^leave takes no argument \(got 1\)$/],
];
chatTest(
  "an invalid payload is answered in the ack with what is wrong, and the chat goes on",
  async (open) => {
    const client = await open();
    for (const [event, args, expected] of bad) {
      const reply = await client.emitWithAck(event, ...args);
      assert.equal(reply.ok, false, `${event} ${JSON.stringify(args)}`);
      assert.match(reply.error, expected);
    }
    assert.equal((await join(client, "Ann")).ok, true);
  },
);

chatTest("a payload without an ack, or of any other type, does no harm", async (open) => {
  const client = await open();
  for (const event of ["join", "leave", "message", "typing", "unheard of"]) {
    for (const args of [
      [],
      [null],
      [[]],
      [new Uint8Array(3)],
      [{}, {}, {}],
      [{ __proto__: { name: 1 } }],
      [Number.POSITIVE_INFINITY],
    ]) {
      client.emit(event, ...args);
    }
  }
  assert.equal((await join(client, "Ann")).ok, true);
  assert.equal((await client.emitWithAck("message", { text: "still here" })).ok, true);
});
