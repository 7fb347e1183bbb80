/**
 * Checks the undocumented members of dependencies that Hinoko uses. If an update removes one, a test here fails with the
 * name of the member and of the file that uses it. Add any further member to a list here; those of ws are in
 * test/node/ws-members.test.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server as EngineIo } from "engine.io";
import { connect } from "./support/clients.ts";
import { openPolling } from "./support/engine-client.ts";
import { hasEngineIo, runtime } from "./support/runtime.ts";
import { withService } from "./support/service.ts";
import { until } from "./support/until.ts";

/** Members by name, with the `typeof` of each, or "array". */
type Members = Readonly<Record<string, string>>;

const kindOf = (value: unknown) => (Array.isArray(value) ? "array" : typeof value);

/** @param of the dependency and class, as `dependency: Class` @param user the file that uses the members */
function assertMembers(of: string, holder: object, members: Members, user: string): void {
  for (const [name, kind] of Object.entries(members)) {
    const found = kindOf(Reflect.get(holder, name));
    assert.equal(
      found,
      kind,
      `${user} needs ${of}#${name} to be of type ${kind}, and it is ${found} in the installed version`,
    );
  }
}

test("socket.io and the engine have the members that broadcasts need", () =>
  withService({}, async ({ url, service: { io } }) => {
    const client = await connect(url, { transports: ["websocket"] });
    const [socket] = io.sockets.sockets.values();
    assert.ok(socket);
    const adapter = "src/realtime/adapter.ts";
    assertMembers("socket.io: Client", socket.client, { writeToEngine: "function" }, adapter);
    const channel = "runtimes/node/engines/engine-io/channel.ts";
    assertMembers("engine.io: Socket", socket.conn, { writeBuffer: "array" }, channel);
    if (hasEngineIo) {
      const engine = "runtimes/node/engines/engine-io/engine.ts";
      assertMembers("engine.io: Socket", socket.conn, { onError: "function" }, engine);
    }
    const containment = "src/operation/containment/";
    const operator = { adapter: "object", emit: "function" };
    assertMembers("socket.io: BroadcastOperator", io.sockets.local, operator, containment);
    // Called before any listener of "connect" or "new_namespace".
    assertMembers("socket.io: Namespace", io.sockets, { emitReserved: "function" }, containment);
    client.disconnect();
  }));

test("socket.io-adapter's adapter for recovery has the members that store packets", () =>
  withService({ socketio: { connectionStateRecovery: {} } }, async ({ service: { io } }) => {
    const members = { packets: "array", encoder: "object" };
    assertMembers(
      "socket.io-adapter: SessionAwareAdapter",
      io.of("/").adapter,
      members,
      "src/realtime/recovery.ts",
    );
  }));

if (runtime === "node") {
  test("engine.io has the members that Node's engine overrides or reads", () => {
    const members = {
      createTransport: "function",
      generateId: "function",
      verify: "function",
      _applyMiddlewares: "function",
      middlewares: "array",
      cleanup: "function",
      handleUpgrade: "function",
      handleRequest: "function",
      clients: "object",
      opts: "object",
    };
    assertMembers("engine.io: Server", new EngineIo(), members, "runtimes/node/engines/engine-io/engine.ts");
  });
}

if (hasEngineIo) {
  test("engine.io's polling transport has the members that Node's engine reads or replaces", () =>
    withService({}, async ({ url, service: { io } }) => {
      const [, session] = await openPolling(url, io.engine);
      const { transport } = session;
      const user = "runtimes/node/engines/engine-io/engine.ts";
      assertMembers("engine.io: Transport", transport, { protocol: "number", parser: "object" }, user);
      const parser: unknown = Reflect.get(transport, "parser");
      assert.ok(typeof parser === "object" && parser);
      const members = { decodePayload: "function", createPacketDecoderStream: "function" };
      assertMembers("engine.io-parser", parser, members, user);
      // Set while it waits for a poll to answer with the close packet.
      session.close();
      assertMembers("engine.io: Polling", transport, { shouldClose: "function" }, user);
    }));
}

if (runtime === "bun") {
  test("@socket.io/bun-engine has the members that its sessions need", async () => {
    // The package can be loaded on Bun only.
    const engine = new (await import("@socket.io/bun-engine")).Server({ path: "/", pingInterval: 5 });
    const opened = new Promise<object>((resolve) => engine.on("connection", resolve));
    const server = Bun.serve({ port: 0, ...engine.handler() });
    try {
      await (await fetch(`${server.url}?EIO=4&transport=polling`)).text();
      const socket = await opened;
      // The timer is set with the first ping.
      await until("a ping", () => Reflect.get(socket, "pingTimeoutTimer") !== undefined);
      const user = "runtimes/bun/engines/matching/";
      const members = {
        writeBuffer: "array",
        upgradeState: "string",
        pingTimeoutTimer: "object",
        onPacket: "function",
        flush: "function",
        onClose: "function",
      };
      assertMembers("bun-engine: Socket", socket, members, user);
      const transport: unknown = Reflect.get(socket, "transport");
      assert.ok(typeof transport === "object" && transport);
      const transportMembers = { onError: "function", emitReserved: "function" };
      assertMembers("bun-engine: Transport", transport, transportMembers, user);
    } finally {
      await server.stop(true);
    }
  });
}
