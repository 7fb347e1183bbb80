/**
 * Data that cannot be sent: emit() throws, and no client gets a part of it.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "./support/clients.ts";
import { received, socketOf, withCrowd } from "./support/crowd.ts";
import { PollingClient } from "./support/engine-client.ts";
import { withService } from "./support/service.ts";

const circular: unknown[] = [];
circular.push({ circular });

const UNSENDABLE: Record<string, unknown> = {
  "a BigInt": 1n,
  "circular data": circular,
  "data nested too deep": JSON.parse("[".repeat(200_000) + "]".repeat(200_000)),
  "a Blob": new Blob(["b"]),
  "a toJSON that throws": {
    toJSON() {
      throw new Error("not today");
    },
  },
  "a getter that throws": {
    get value() {
      throw new Error("not today");
    },
  },
};

for (const [what, value] of Object.entries(UNSENDABLE)) {
  for (const beside of [[], [Buffer.from("bytes")]]) {
    const name = beside.length > 0 ? `${what} beside bytes` : what;
    withCrowd(`emit() throws for ${name}, and no client gets anything`, 20, async ({ io, url }, crowd) => {
      const [first] = crowd;
      assert.ok(first);
      const polling = await (await PollingClient.connect(url)).join();
      const socket = socketOf(io, first);
      void socket.join("room");
      io.emit("number", 0); // from the next broadcast on, the adapter publishes to the crowd
      for (let round = 1; round <= 2; round++) {
        assert.throws(() => io.emit("bad", ...beside, { value }));
        assert.throws(() => io.to("room").emit("bad", ...beside, { value }));
        assert.throws(() => socket.broadcast.emit("bad", ...beside, { value }));
        assert.throws(() => socket.emit("bad", ...beside, { value }));
        await assert.rejects(io.timeout(50).emitWithAck("bad", ...beside, { value }));
        await assert.rejects(socket.timeout(50).emitWithAck("bad", ...beside, { value }));
        io.emit("number", round);
      }
      await received(crowd, 2);
      for (const { messages } of crowd)
        assert.deepEqual(
          messages,
          [0, 1, 2].map((number) => `42["number",${number}]`),
        );
      assert.deepEqual(
        await polling.packets(),
        [0, 1, 2].map((number) => `42["number",${number}]`),
      );
    });
  }

  test(`an acknowledgement throws for ${what}, and the event can still be acknowledged with other data`, () =>
    withService(
      {},
      ({ io }) => {
        io.on("connection", (socket) => {
          socket.on("ask", (ack) => {
            assert.throws(() => ack(value));
            ack("sorry");
          });
        });
      },
      async ({ url }) => {
        const client = await connect(url);
        assert.equal(await client.timeout(5000).emitWithAck("ask"), "sorry");
        client.disconnect();
      },
    ));
}

/** Waits until a condition holds, for five seconds at the most. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let look = 0; look < 500 && !isTrue(); look++) await sleep(10);
  assert.ok(isTrue());
}

test("a recovered client gets what it missed, except what could not be sent", () =>
  withService(
    { errors: "exit", socketio: { connectionStateRecovery: {} } },
    async ({ url, service: { io } }) => {
      const client = await connect(url);
      const heard: unknown[] = [];
      client.on("number", (number) => heard.push(number));
      const last = (number: number) =>
        new Promise<void>((resolve) => client.on("number", (heard) => heard === number && resolve()));
      const [first, third] = [last(1), last(3)];
      io.emit("number", 1);
      await first;
      const lost = new Promise((resolve) => client.once("disconnect", resolve));
      const gone = new Promise((resolve) => [...io.sockets.sockets.values()][0]?.once("disconnect", resolve));
      client.io.engine.close();
      await Promise.all([lost, gone]);
      const bystander = await connect(url);
      for (const socket of io.sockets.sockets.values()) {
        socket.onAnyOutgoing(() => {
          throw new Error("a listener's");
        });
      }
      assert.throws(() => io.emit("number", 2), /a listener's/);
      bystander.disconnect();
      await until(() => io.sockets.sockets.size === 0);
      for (const value of Object.values(UNSENDABLE)) assert.throws(() => io.emit("number", { value }));
      io.emit("number", 3);
      client.connect();
      await third;
      assert.deepEqual([client.recovered, heard], [true, [1, 2, 3]]);
      client.disconnect();
    },
  ));
