/**
 * Socket.IO connections from beginning to end: recovery, namespaces, acks, reasons for the end, and 1,000 sessions that
 * leave nothing behind.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Socket as ServerSocket } from "socket.io";
import { type Socket as ClientSocket, io as connectManager } from "socket.io-client";
import { collect, connect, next, type Over, overs, TRANSPORTS } from "../support/clients.ts";
import { allGone, writable } from "../support/engine-client.ts";
import { type Proxy, withProxy } from "../support/proxy.ts";
import { type Served, withService } from "../support/service.ts";
import { until } from "../support/until.ts";

/** Waits until both ends of a connection are idle: the upgrade is complete, or a poll is pending. */
async function settle(over: Over, client: ClientSocket, socket: ServerSocket): Promise<void> {
  const name = over === "polling" ? "polling" : "websocket";
  const isOver = () => client.io.engine.transport.name === name && socket.conn.transport.name === name;
  await until(`both ends to be connected over ${name}`, isOver);
  await writable(socket.conn);
}

const nextConnection = ({ service }: Served): Promise<ServerSocket> =>
  new Promise((resolve) => service.io.once("connection", resolve));

/** Connects both ends over a transport, or over polling upgraded to WebSocket. */
async function open(over: Over, url: string, served: Served): Promise<[ClientSocket, ServerSocket]> {
  const connection = nextConnection(served);
  const client = await connect(url, { transports: TRANSPORTS[over] });
  const socket = await connection;
  await settle(over, client, socket);
  // A polling transport that is closed without a pending poll waits for the next one, and keeps the tests running.
  Object.assign(socket.conn.transport, { closeTimeout: 1000 });
  return [client, socket];
}

const reason = (socket: ClientSocket | ServerSocket): Promise<string> =>
  new Promise((resolve) => {
    const listener = (reason: string) => resolve(reason);
    // The types of client and server sockets have no call signature in common.
    if ("conn" in socket) socket.once("disconnect", listener);
    else socket.once("disconnect", listener);
  });

for (const over of overs) {
  test(`a client whose connection was cut off is recovered, and gets what it missed, over ${over}`, () =>
    withService(
      // Over polling, the server notices a lost connection only at the next heartbeat.
      { socketio: { connectionStateRecovery: {}, pingInterval: 500, pingTimeout: 1000 } },
      ({ io }) => {
        io.on("connection", async (socket) => {
          socket.on("echo", (value, ack) => ack(value));
          if (socket.recovered) return;
          socket.data = { name: "ann", visits: 1 };
          await socket.join(["green", "blue"]);
        });
      },
      (served) =>
        withProxy(served.port, async (proxy) => {
          const { io } = served.service;
          const [client, socket] = await open(over, proxy.url, served);
          const { id } = client;
          const heard = collect(client, "news");
          io.to("green").emit("news", 1);
          assert.equal(await client.emitWithAck("echo", "in touch"), "in touch");
          await settle(over, client, socket);
          const ends = Promise.all([reason(client), reason(socket)]);
          proxy.drop();
          socket.emit("news", 2); // the server does not know yet
          io.to("green").emit("news", 3);
          await ends;
          io.to("blue").emit("news", 4);
          io.to("red").emit("news", "for others");
          io.to(["green", "blue"]).emit("news", Buffer.from([5]));
          io.emit("news", 6);

          proxy.restore();
          const connection = nextConnection(served);
          const connected = next(client, "connect");
          client.connect();
          await connected;
          const again = await connection;
          assert.deepEqual([client.recovered, again.recovered], [true, true]);
          assert.deepEqual([client.id, again.id], [id, id]);
          assert.deepEqual(again.data, { name: "ann", visits: 1 });
          assert.deepEqual([...again.rooms].sort(), [id, "green", "blue"].sort());

          io.to("blue").emit("news", 7);
          assert.equal(await client.emitWithAck("echo", "again"), "again");
          await settle(over, client, again);
          assert.equal(await client.emitWithAck("echo", "at rest"), "at rest");
          assert.deepEqual(
            heard.map((value) => (value instanceof Uint8Array ? [...value] : value)),
            [1, 2, 3, 4, [5], 6, 7],
          );
          client.disconnect();
        }),
    ));

  test(`a client that disconnected itself is not recovered, over ${over}`, () =>
    withService(
      { socketio: { connectionStateRecovery: {} } },
      ({ io }) => {
        io.on("connection", (socket) => socket.join("green"));
      },
      async (served) => {
        const [client, socket] = await open(over, served.url, served);
        const heard = next(client, "news");
        served.service.io.emit("news", 1);
        await heard;
        const ended = reason(socket);
        client.disconnect();
        await ended;
        served.service.io.to("green").emit("news", 2);
        const connection = nextConnection(served);
        const missed = collect(client, "news");
        client.connect();
        const again = await connection;
        await next(client, "connect");
        await settle(over, client, again);
        assert.deepEqual([client.recovered, again.recovered], [false, false]);
        assert.deepEqual(missed, []);
        assert.notEqual(client.id, socket.id);
        client.disconnect();
      },
    ));

  test(`64 namespaces share one connection over ${over}`, () =>
    withService(
      {},
      ({ io }) => {
        io.of(/^\/\d+$/).on("connection", (socket) => {
          socket.on("echo", (value, ack) => ack([socket.nsp.name, value]));
        });
      },
      async (served) => {
        const [client, socket] = await open(over, served.url, served);
        const names = Array.from({ length: 64 }, (_, n) => `/${n}`);
        const sockets = names.map((name) => client.io.socket(name));
        const echo = (socket: ClientSocket, n: number): Promise<unknown> =>
          socket.emitWithAck("echo", n % 2 ? `message ${n}` : n);
        assert.deepEqual(
          await Promise.all(sockets.map(echo)),
          names.map((name, n) => [name, n % 2 ? `message ${n}` : n]),
        );
        assert.equal(served.service.io.engine.clientsCount, 1);
        assert.equal(new Set(sockets.map(({ id }) => id)).size, 64);

        const [first, second] = sockets;
        assert.ok(first && second);
        first.disconnect();
        assert.deepEqual(await echo(second, 1), ["/1", "message 1"]);
        const ended = reason(socket);
        client.io.engine.close();
        await ended;
        await allGone(served.service.io.engine);
        for (const name of names) assert.equal(served.service.io.of(name).sockets.size, 0);
      },
    ));

  test(`an ack that does not come in time is an error, and is ignored when it comes, over ${over}`, () =>
    withService(
      {},
      ({ io }) => {
        io.on("connection", (socket) => {
          const late: (() => void)[] = [];
          socket.on("slow", (ack) => late.push(() => ack("late")));
          socket.on("go on", (ack) => {
            for (const answer of late) answer();
            ack(late.length);
          });
        });
      },
      async (served) => {
        const [client, socket] = await open(over, served.url, served);
        const late: (() => void)[] = [];
        client.on("slow", (ack) => late.push(() => ack("late")));
        client.on("go on", (ack) => {
          for (const answer of late) answer();
          ack(late.length);
        });

        for (const asker of [client, socket]) {
          const answers: unknown[][] = [];
          await new Promise<void>((resolve) => {
            asker.timeout(50).emit("slow", (...answer: unknown[]) => {
              answers.push(answer);
              resolve();
            });
          });
          await assert.rejects(asker.timeout(50).emitWithAck("slow"), /operation has timed out/);
          assert.equal(await asker.timeout(20_000).emitWithAck("go on"), 2);
          assert.equal(await asker.emitWithAck("go on"), 2);
          assert.equal(answers.length, 1);
          assert.match(String(answers[0]?.[0]), /operation has timed out/);
          assert.equal(answers[0]?.length, 1);
        }
        client.disconnect();
      },
    ));

  test(`a broadcast collects the acks that come in time over ${over}`, () =>
    withService({}, async (served) => {
      const [quick] = await open(over, served.url, served);
      const [slow] = await open(over, served.url, served);
      quick.on("who", (ack) => ack("quick"));
      slow.on("who", () => {});
      const [error, answers] = await new Promise<unknown[]>((resolve) =>
        served.service.io.timeout(500).emit("who", (...answer: unknown[]) => resolve(answer)),
      );
      assert.match(String(error), /operation has timed out/);
      assert.deepEqual(answers, ["quick"]);
      quick.disconnect();
      slow.disconnect();
    }));
}

interface End {
  readonly what: string;
  readonly act: (ends: {
    client: ClientSocket;
    socket: ServerSocket;
    proxy: Proxy;
    served: Served;
  }) => unknown;
  /** The disconnect reason on each side, and over polling if it differs. */
  readonly client: string;
  readonly clientOverPolling?: string;
  readonly server: string;
  readonly serverOverPolling?: string;
}

const ends: End[] = [
  {
    what: "the client's disconnect()",
    act: ({ client }) => client.disconnect(),
    client: "io client disconnect",
    server: "client namespace disconnect",
  },
  {
    what: "the end of the client's engine",
    act: ({ client }) => client.io.engine.close(),
    client: "forced close",
    server: "transport close",
  },
  {
    what: "the server's disconnect()",
    act: ({ socket }) => socket.disconnect(),
    client: "io server disconnect",
    server: "server namespace disconnect",
  },
  {
    what: "the server's disconnect(true)",
    act: ({ socket }) => socket.disconnect(true),
    client: "io server disconnect",
    server: "server namespace disconnect",
  },
  {
    what: "the end of the server's engine socket",
    act: ({ socket }) => socket.conn.close(),
    client: "transport close",
    server: "forced close",
  },
  {
    what: "io.close()",
    act: ({ served }) => served.service.io.close(),
    client: "transport close",
    server: "server shutting down",
  },
  {
    what: "a connection that is destroyed",
    act: ({ proxy }) => proxy.drop(),
    client: "transport close",
    clientOverPolling: "transport error",
    server: "transport close",
    serverOverPolling: "transport error",
  },
  {
    what: "a connection that went silent",
    act: ({ proxy }) => proxy.stall(),
    client: "ping timeout",
    server: "ping timeout",
  },
];
for (const end of ends) {
  for (const over of overs) {
    test(`both sides get the right disconnect reason after ${end.what}, over ${over}`, () =>
      withService(
        { socketio: end.what.endsWith("silent") ? { pingInterval: 300, pingTimeout: 500 } : {} },
        (served) =>
          withProxy(served.port, async (proxy) => {
            const [client, socket] = await open(over, proxy.url, served);
            let told = 0;
            client.on("disconnect", () => told++);
            socket.on("disconnect", () => told++);
            const disconnecting = new Promise((resolve) => socket.once("disconnecting", resolve));
            const reasons = Promise.all([reason(client), reason(socket)]);
            await end.act({ client, socket, proxy, served });
            const server = (over === "polling" && end.serverOverPolling) || end.server;
            const expected = [(over === "polling" && end.clientOverPolling) || end.client, server];
            assert.deepEqual(await reasons, expected);
            assert.equal(await disconnecting, server);
            assert.deepEqual([client.connected, socket.connected], [false, false]);
            assert.equal(served.service.io.of("/").sockets.size, 0);
            client.disconnect();
            await allGone(served.service.io.engine);
            assert.equal(told, 2);
          }),
      ));
  }
}

test("1,000 sessions come and go, and leave nothing behind", () => {
  let connections = 0;
  const reasons = new Map<string, number>();
  return withService(
    {},
    ({ io }) => {
      io.on("connection", async (socket) => {
        connections++;
        socket.on("echo", (value, ack) => ack(value));
        socket.on("disconnect", (reason) => reasons.set(reason, (reasons.get(reason) ?? 0) + 1));
        await socket.join(["everyone", `only ${socket.id}`]);
      });
    },
    async ({ url, service }) => {
      const visit = async (n: number) => {
        const client = connectManager(url, {
          forceNew: true,
          reconnection: false,
          transports: [n % 2 ? "polling" : "websocket"],
        });
        await next(client, "connect");
        assert.equal(await client.emitWithAck("echo", n), n);
        client.disconnect();
      };
      for (let wave = 0; wave < 20; wave++) {
        await Promise.all(Array.from({ length: 50 }, (_, n) => visit(n)));
      }
      await allGone(service.io.engine);
      assert.equal(connections, 1000);
      assert.deepEqual([...reasons], [["client namespace disconnect", 1000]]);
      const { sockets, adapter } = service.io.of("/");
      assert.deepEqual([sockets.size, adapter.rooms.size, adapter.sids.size], [0, 0, 0]);
    },
  );
});
