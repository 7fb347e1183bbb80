/**
 * Broadcasts to rooms that clients join and leave meanwhile: each client gets those that were sent while it was in the
 * room, once. This must be the same with fast paths and without.
 */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Service } from "../src/index.ts";
import { range, received, socketOf, withCrowd } from "./support/crowd.ts";
import type { RawClient } from "./support/raw-client.ts";

/** Connects a client again over the same session after its socket was disconnected; the new socket joins a room. */
async function comeBack(io: Service["io"], client: RawClient, room: string): Promise<void> {
  const joined = new Promise<void>((resolve) =>
    io.once("connection", (socket) => {
      void socket.join(room);
      resolve();
    }),
  );
  client.send("40");
  await joined;
}

withCrowd(
  "a client that joins or leaves a room between broadcasts gets those sent while it was there",
  40,
  async ({ io }, crowd) => {
    const [guest] = crowd;
    assert.ok(guest);
    const socket = socketOf(io, guest);
    for (const client of crowd.slice(1)) await socketOf(io, client).join("room");
    const expected: number[] = [];
    let n = 0;
    for (let turn = 0; turn < 30; turn++) {
      io.to("room").emit("n", n++);
      await socket.join("room");
      expected.push(n);
      io.to("room").emit("n", n++);
      if (turn % 4 === 0) await setImmediate();
      expected.push(n);
      io.to("room").emit("n", n++);
      await socket.leave("room");
      io.to("room").emit("n", n++);
      if (turn % 3 === 0) await setImmediate();
    }
    io.emit("n", n);
    await received(crowd, n);
    assert.deepEqual(guest.numbers, [...expected, n]);
    for (const client of crowd.slice(1)) assert.deepEqual(client.numbers, range(0, n + 1));
  },
);

withCrowd(
  "a socket that leaves or disconnects in a listener for a broadcast to it gets no later one, and nothing twice",
  20,
  async ({ io }, crowd) => {
    const [ann, bob] = crowd;
    assert.ok(ann && bob);
    io.socketsJoin("room");
    const [annSocket, bobSocket] = [socketOf(io, ann), socketOf(io, bob)];
    annSocket.conn.once("packetCreate", () => void annSocket.leave("room"));
    const disconnect = () => {
      bobSocket.offAnyOutgoing(disconnect);
      bobSocket.disconnect();
    };
    bobSocket.onAnyOutgoing(disconnect);
    io.to("room").emit("n", 0);
    io.to("room").emit("n", 1);
    await comeBack(io, bob, "room");
    io.to("room").emit("n", 2);
    io.emit("n", 3);
    await received(crowd, 3);
    assert.deepEqual(ann.numbers, [0, 3]);
    assert.deepEqual(bob.numbers, [0, 2, 3]); // 0 was on its way when it left
    for (const client of crowd.slice(2)) assert.deepEqual(client.numbers, range(0, 4));
  },
);

withCrowd(
  "a socket that leaves gets no later broadcasts, even if a listener for its leaving broadcasts",
  20,
  async ({ io }, crowd) => {
    const [ann] = crowd;
    assert.ok(ann);
    io.socketsJoin(["one", "two"]);
    io.of("/").adapter.once("leave-room", (room: string) => {
      assert.equal(room, ann.sid);
      io.to("two").emit("n", 0);
    });
    socketOf(io, ann).disconnect();
    io.to("two").emit("n", 1);
    await comeBack(io, ann, "two");
    io.to("two").emit("n", 2);
    await received(crowd, 2);
    for (const client of crowd.slice(1)) assert.deepEqual(client.numbers, range(0, 3));
    assert.deepEqual(
      ann.numbers.filter((n) => n > 0),
      [2],
    );
  },
);

withCrowd("a client in many large rooms gets what is sent to each of them", 20, async ({ io }, crowd) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on("warning", onWarning);
  const rooms = range(0, 30).map((n) => `room ${n}`);
  io.socketsJoin(rooms);
  const round = (from: number) => {
    for (const [n, room] of rooms.entries()) io.to(room).emit("n", from + n);
  };
  round(0);
  round(30);
  const [ann] = crowd;
  assert.ok(ann);
  const packets: unknown[] = [];
  socketOf(io, ann).conn.on("packetCreate", (packet: unknown) => void packets.push(packet));
  round(60);
  await received(crowd, 89);
  assert.equal(packets.length, 30);
  for (const client of crowd) assert.deepEqual(client.numbers, range(0, 90));
  process.off("warning", onWarning);
  assert.deepEqual(warnings, []);
});
