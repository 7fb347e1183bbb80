/**
 * Broadcasts: they reach the right clients, once, and in the order in which they and other messages were sent. This must
 * be the same with fast paths and without.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { Adapter, SessionAwareAdapter } from "socket.io-adapter";
import { io as ioClient } from "socket.io-client";
import { createService } from "../src/index.ts";
import { connect } from "./support/clients.ts";
import { range, received, socketOf, withCrowd } from "./support/crowd.ts";
import { RawClient } from "./support/raw-client.ts";
import { serve } from "./support/runtime.ts";
import { QUIET } from "./support/service.ts";
import { until } from "./support/until.ts";

withCrowd(
  "broadcasts and direct messages arrive in the order in which they were sent",
  40,
  async (served, crowd) => {
    const { io } = served;
    let n = 0;
    const round = () => {
      io.emit("n", n++);
      for (const client of crowd) socketOf(io, client).emit("n", n);
      n++;
      io.emit("n", n++);
      io.emit("n", n++);
      for (const client of crowd) socketOf(io, client).emit("n", "x".repeat(40_000), n);
      n++;
      io.emit("n", "x".repeat(40_000), n++);
    };
    for (let turn = 0; turn < 10; turn++) {
      round();
      if (turn % 3 === 0) process.nextTick(round);
      if (turn % 3 === 1) await sleep(2);
      else await Promise.resolve().then(round);
    }
    await setImmediate(); // the last round() has run by now
    io.emit("n", n++);
    await received(crowd, n - 1);
    for (const client of crowd) assert.deepEqual(client.numbers, range(0, n));
  },
);

withCrowd("a broadcast leaves out its sender, and the rooms in except()", 40, async ({ io }, crowd) => {
  const [ann, bob, ...others] = crowd;
  assert.ok(ann && bob);
  for (const client of crowd.slice(0, 30)) await socketOf(io, client).join("room");
  for (let n = 0; n < 60; n += 6) {
    io.emit("n", n);
    socketOf(io, ann).broadcast.emit("n", n + 1);
    socketOf(io, ann)
      .to("room")
      .emit("n", n + 2);
    io.except([ann.sid, bob.sid]).emit("n", n + 3);
    io.except("room").emit("n", n + 4);
    io.to("room")
      .except(bob.sid)
      .emit("n", n + 5);
    if (n % 4 === 0) await setImmediate();
  }
  io.emit("n", 60);
  await received(crowd, 60);
  const expected = (...kinds: number[]) => [...range(0, 60).filter((n) => kinds.includes(n % 6)), 60];
  assert.deepEqual(ann.numbers, expected(0, 5));
  assert.deepEqual(bob.numbers, expected(0, 1, 2));
  for (const client of others.slice(0, 28)) assert.deepEqual(client.numbers, expected(0, 1, 2, 3, 5));
  for (const client of others.slice(28)) assert.deepEqual(client.numbers, expected(0, 1, 3, 4));
});

withCrowd(
  "clients that poll, or upgrade while broadcasts are sent, get each broadcast once",
  20,
  async ({ io, url }, crowd) => {
    let n = 0;
    const end = new AbortController();
    const stream = (async () => {
      for (; !end.signal.aborted; n++) {
        io.emit("n", n);
        if (n % 5 === 0) await sleep(1);
      }
    })();
    const lists: number[][] = [];
    const clients = range(0, 20).map((index) => {
      const list: number[] = [];
      lists.push(list);
      const transports = index % 2 === 0 ? ["polling"] : ["polling", "websocket"];
      return ioClient(url, { forceNew: true, transports }).on(
        "n",
        (number: number) => void list.push(number),
      );
    });
    const isSettled = ({ connected, io }: (typeof clients)[number], index: number) =>
      connected && io.engine?.transport.name === (index % 2 ? "websocket" : "polling");
    await until("all clients to be connected and upgraded", () => clients.every(isSettled));
    const upgradedAt = n;
    await until("20 more broadcasts", () => n > upgradedAt + 20);
    end.abort();
    await stream;
    io.emit("n", n);
    await received(crowd, n);
    await until("the last broadcast", () => lists.every((list) => list.at(-1) === n));
    for (const list of lists) assert.deepEqual(list, range(list[0] ?? 0, n + 1));
    for (const client of crowd) assert.deepEqual(client.numbers, range(0, n + 1));
    for (const client of clients) client.disconnect();
  },
);

withCrowd(
  "a binary broadcast arrives unchanged, with its attachments right behind it",
  20,
  async ({ io, url }, crowd) => {
    const polling = await connect(url, { transports: ["polling"] });
    const heard: unknown[][] = [];
    polling.on("b", (...args: unknown[]) => heard.push(args));
    for (let n = 0; n < 3; n++) {
      io.emit("b", Uint8Array.of(1, n), { a: [Uint8Array.of(2, n)] }, n);
      for (const client of crowd) socketOf(io, client).emit("n", n);
    }
    io.emit("n", 3);
    await received(crowd, 3);
    const [first, second] = [0, 1].map((num) => `{"_placeholder":true,"num":${num}}`);
    const event = (n: number) => [`452-["b",${first},{"a":[${second}]},${n}]`, `<010${n}>`, `<020${n}>`];
    const expected = [0, 1, 2].flatMap((n) => [...event(n), `42["n",${n}]`]);
    for (const client of crowd) assert.deepEqual(client.messages, [...expected, '42["n",3]']);
    await until("the broadcasts over polling", () => heard.length === 3);
    assert.deepEqual(
      heard.map(([bytes, , n]) => [Buffer.isBuffer(bytes) && [...bytes], n]),
      range(0, 3).map((n) => [[1, n], n]),
    );
    polling.disconnect();
  },
);

withCrowd(
  "a broadcast reaches only its namespace, also on a connection with several namespaces",
  20,
  async ({ io }, crowd) => {
    io.of("/a");
    io.of(/^\/dynamic-\d$/);
    for (const client of crowd) {
      client.send("40/a,");
      client.send("40/dynamic-1,");
    }
    await Promise.all(crowd.map((client) => client.until(({ length }) => length === 2)));
    for (const client of crowd) client.messages.length = 0;
    const expected: string[] = [];
    for (let n = 0; n < 20; n++) {
      io.emit("n", n);
      io.of("/a").emit("n", n);
      io.of("/dynamic-1").emit("n", n);
      expected.push(`42["n",${n}]`, `42/a,["n",${n}]`, `42/dynamic-1,["n",${n}]`);
      if (n === 10) {
        io.of("/a").disconnectSockets();
        expected.push("41/a,");
      }
      if (n >= 11) expected.splice(-2, 1);
      if (n % 4 === 0) await setImmediate();
    }
    await received(crowd, 19);
    await Promise.all(crowd.map((client) => client.until(({ length }) => length === expected.length)));
    for (const client of crowd) assert.deepEqual(client.messages, expected);
  },
);

withCrowd(
  "a client gets what was broadcast before it is disconnected, and nothing afterwards",
  40,
  async ({ io }, crowd) => {
    const [leaving, cutOff, ...others] = crowd;
    assert.ok(leaving && cutOff);
    for (let n = 0; n < 10; n++) io.emit("n", n);
    socketOf(io, leaving).disconnect();
    socketOf(io, cutOff).disconnect(true);
    for (let n = 10; n < 20; n++) io.emit("n", n);
    await received(others, 19);
    assert.equal(await cutOff.closed, 1005);
    await leaving.until((messages) => messages.includes("41"));
    leaving.send("40");
    await leaving.until((messages) => messages.at(-1)?.startsWith("40") === true);
    io.emit("n", 20);
    await received([leaving, ...others], 20);
    const before = range(0, 10).map((n) => `42["n",${n}]`);
    assert.deepEqual(cutOff.messages, [...before, "41"]);
    assert.deepEqual(leaving.messages.slice(0, 11), [...before, "41"]);
    assert.deepEqual(leaving.messages.slice(12), ['42["n",20]']);
    for (const client of others) assert.deepEqual(client.numbers, range(0, 21));
  },
);

withCrowd("a broadcast right before the server closes reaches the clients", 20, async ({ io }, crowd) => {
  io.emit("n", 0);
  await received(crowd, 0);
  io.emit("n", 1);
  void io.close();
  await Promise.all(crowd.map(({ closed }) => closed));
  for (const client of crowd) assert.deepEqual(client.messages, ['42["n",0]', '42["n",1]']);
});

withCrowd(
  "listeners for outgoing packets of a socket are called for each broadcast",
  40,
  async ({ io }, crowd) => {
    const [ann, bob] = crowd;
    assert.ok(ann && bob);
    const [events, packets]: [unknown[], unknown[]] = [[], []];
    const onEvent = (_: string, n: number) => void events.push(n);
    const onPacket = ({ data }: { data: string }) => void packets.push(data);
    for (let n = 0; n < 9; n++) {
      if (n === 3) socketOf(io, ann).onAnyOutgoing(onEvent);
      if (n === 3) socketOf(io, bob).conn.on("packetCreate", onPacket);
      if (n === 6) socketOf(io, ann).offAnyOutgoing(onEvent);
      if (n === 6) socketOf(io, bob).conn.off("packetCreate", onPacket);
      io.emit("n", n);
      if (n % 2 === 0) await setImmediate();
    }
    await received(crowd, 8);
    assert.deepEqual(events, [3, 4, 5]);
    assert.deepEqual(packets, ['2["n",3]', '2["n",4]', '2["n",5]']);
    for (const client of crowd) assert.deepEqual(client.numbers, range(0, 9));
  },
);

withCrowd(
  "every client can acknowledge a broadcast that asks for acknowledgements",
  20,
  async ({ io }, crowd) => {
    io.emit("n", 0);
    const answers = io.timeout(5000).emitWithAck("n", 1);
    await received(crowd, 1);
    for (const [index, client] of crowd.entries()) {
      const id = /^42(\d+)/.exec(client.messages[1] ?? "")?.[1];
      client.send(`43${id}[${index}]`);
    }
    assert.deepEqual(
      (await answers).sort((a: number, b: number) => a - b),
      range(0, 20),
    );
  },
);

test("an author's adapter, and the one for connection state recovery, are not replaced", () => {
  class Own extends Adapter {}
  assert.ok(createService({ socketio: { adapter: Own } }).io.of("/").adapter instanceof Own);
  const { io } = createService({ socketio: { connectionStateRecovery: {} } });
  assert.ok(io.of("/").adapter instanceof SessionAwareAdapter);
});

/** Pseudorandom numbers from 0 to 1, the same in every run. */
function* random(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

withCrowd(
  "a thousand random steps send each client what it should get, in order",
  48,
  async ({ io }, crowd) => {
    const numbers = random(7);
    const pick = <T>(items: readonly T[]): T => {
      const item = items[Math.floor(numbers.next().value * items.length)];
      assert.ok(item !== undefined);
      return item;
    };
    const expected = new Map(crowd.map(({ sid }) => [sid, [] as string[]]));
    const rooms = ["a", "b", "c"];
    let n = 0;
    for (let step = 0; step < 1000; step++) {
      const sockets = [...io.sockets.sockets.values()];
      const socket = pick(sockets);
      const [room, other] = [pick(rooms), pick(rooms)];
      /** Sends the next number, and notes that the sockets which fulfil the condition should get it. */
      const cast = (
        target: { emit(event: string, n: number): unknown },
        isMeant: (one: typeof socket) => boolean,
      ) => {
        for (const one of sockets) if (isMeant(one)) expected.get(one.id)?.push(`42["n",${n}]`);
        target.emit("n", n++);
      };
      const steps: (() => unknown)[] = [
        () => cast(io, () => true),
        () => cast(io, () => true),
        () => cast(io.to(room), (one) => one.rooms.has(room)),
        () => cast(io.to(room), (one) => one.rooms.has(room)),
        () => cast(io.to(room).to(other), (one) => one.rooms.has(room) || one.rooms.has(other)),
        () => cast(io.to(room).except(other), (one) => one.rooms.has(room) && !one.rooms.has(other)),
        () => cast(io.except(room), (one) => !one.rooms.has(room)),
        () => cast(io.local, () => true),
        () => cast(socket, (one) => one === socket),
        () => cast(socket, (one) => one === socket),
        () => cast(socket.broadcast, (one) => one !== socket),
        () => cast(socket.to(room), (one) => one !== socket && one.rooms.has(room)),
        () => cast(io.to(socket.id), (one) => one === socket),
        () => socket.join(room),
        () => socket.join([room, other]),
        () => socket.leave(room),
        () => io.in(socket.id).socketsJoin(room),
        () => step % 10 === 0 && io.in(room).socketsLeave(room),
        () => step % 7 === 0 && socket.onAnyOutgoing(() => {}),
        () => socket.offAnyOutgoing(),
        () => void (sockets.length > 30 && socket.disconnect() && expected.get(socket.id)?.push("41")),
        () => setImmediate(),
        () => sleep(1),
      ];
      await Promise.resolve(pick(steps)());
    }
    io.emit("n", n);
    for (const [sid, list] of expected) if (list.at(-1) !== "41") expected.get(sid)?.push(`42["n",${n}]`);
    await Promise.all(
      crowd.map((client) => client.until(({ length }) => length >= (expected.get(client.sid)?.length ?? 0))),
    );
    for (const client of crowd) assert.deepEqual(client.messages, expected.get(client.sid));
  },
);

test("broadcasts reach the clients of a service that is served again", async () => {
  const service = createService(QUIET);
  for (const _ of ["first", "again"]) {
    const { url, close } = await serve(service);
    const crowd = await RawClient.crowd(url, 20);
    for (let n = 0; n < 10; n++) service.io.emit("n", n);
    await received(crowd, 9);
    for (const client of crowd) assert.deepEqual(client.numbers, range(0, 10));
    service.io.disconnectSockets(true);
    await close();
  }
});
