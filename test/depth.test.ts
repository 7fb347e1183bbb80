/**
 * Packets that are nested too deep, or have too many arguments: the sender's session ends, and no other client notices.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { test } from "node:test";
import * as socketIoParser from "socket.io-parser";
import type { Service, ServiceOptions } from "../src/index.ts";
import { connect } from "./support/clients.ts";
import { FrameClient, PollingClient } from "./support/engine-client.ts";
import { type Served, withService } from "./support/service.ts";

/** More levels or arguments than fit on the stack of any runtime. */
const ABYSS = 150_000;

/** Makes JSON with so many levels. */
const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

const nestedObjects = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

/** A namespace with a quote in its name. Code that counts brackets from there on takes those in the JSON for a string. */
const MISLEADING = '/any"[';

/** The packets, for the main namespace or for the misleading one. */
const attacks: Record<string, string> = {
  "an event that is nested too deep": `42["chat",${nested(ABYSS)}]`,
  "an event of objects that is nested too deep": `42["chat",${nestedObjects(ABYSS)}]`,
  "an event of too many arguments": `42["chat"${",1".repeat(3 * ABYSS)}]`,
  "an event of 4097 arguments": `42["chat"${",1".repeat(4096)}]`,
  "an acknowledgement of too many arguments": `430[1${",1".repeat(3 * ABYSS)}]`,
  "an event of too many arguments beside bytes": `451-["chat",{"_placeholder":true,"num":0}${",1".repeat(3 * ABYSS)}]`,
  "an event of 257 levels": `42["chat",${nested(256)}]`,
  "an event for a room that is nested too deep": `42["room",${nested(ABYSS)}]`,
  "an event with an acknowledgement that is nested too deep": `421["ack",${nested(ABYSS)}]`,
  "an event behind misleading strings that is nested too deep": `42["chat","]]\\"]\\\\",${nested(ABYSS)}]`,
  "an acknowledgement that is nested too deep": `430[${nested(ABYSS)}]`,
  "an event with attachments that is nested too deep": `451-["chat",{"_placeholder":true,"num":0},${nested(ABYSS)}]`,
  "a connection to a namespace with deep credentials": `40/other,{"a":${nested(ABYSS)}}`,
  "an event in a namespace with quotes that is nested too deep": `42${MISLEADING},["chat",${nested(ABYSS)}]`,
};

const isJoined = (packet: string | Buffer): boolean => String(packet).startsWith(`40${MISLEADING},`);

/** The listeners of the README's example, and the other ways in which a server sends data back to clients. */
function echo({ io }: Service): void {
  for (const namespace of [io.of("/"), io.of("/other"), io.of(/^\/any/)]) {
    namespace.on("connection", (socket) => {
      void socket.join("room");
      socket.on("chat", (...data) => io.emit("chat", ...data));
      socket.on("room", (...data) => io.to("room").emit("chat", ...data));
      socket.on("ack", (...data) => data.pop()(...data));
      socket.emit("auth", socket.handshake.auth);
    });
  }
}

/** Runs a test with a service that echoes, and checks afterwards that another client is still served. */
async function withBystander(options: ServiceOptions, run: (served: Served) => Promise<void>): Promise<void> {
  await withService(options, echo, async (served) => {
    const bystander = await connect(served.url);
    try {
      await run(served);
      assert.equal(await bystander.timeout(5000).emitWithAck("ack", "still here"), "still here");
      const echoed = new Promise((resolve) => bystander.once("chat", resolve));
      bystander.emit("chat", "and heard");
      assert.equal(await echoed, "and heard");
    } finally {
      bystander.disconnect();
    }
  });
}

for (const fastPaths of [true, false]) {
  const how = fastPaths ? "" : " (without fast paths)";
  for (const [what, packet] of Object.entries(attacks)) {
    test(`${what} ends the sender's session over WebSocket, and no other${how}`, () =>
      withBystander({ fastPaths }, async ({ url }) => {
        const attacker = await FrameClient.join(url);
        attacker.send(`40${MISLEADING},`);
        while (!isJoined(await attacker.frame())) continue;
        attacker.send(packet);
        assert.equal(await attacker.closed, 1005);
      }));

    test(`${what} ends the sender's session over polling, and no other${how}`, () =>
      withBystander({ fastPaths }, async ({ url }) => {
        const attacker = await (await PollingClient.connect(url)).join();
        await attacker.post(`40${MISLEADING},`);
        while (!(await attacker.packets()).some(isJoined)) continue;
        assert.equal(await (await attacker.post(packet)).text(), "ok");
        while (!(await attacker.packets()).includes("1")) continue;
        assert.equal((await attacker.poll()).status, 400);
      }));
  }

  test(`a packet that is nested too deep is an "error" event of its socket${how}`, () =>
    withBystander({ fastPaths, maxDepth: 3 }, async ({ url, service }) => {
      const [attacker, [socket]] = await Promise.all([FrameClient.join(url), once(service.io, "connection")]);
      const failed = new Promise((resolve) => socket.once("error", resolve));
      const disconnected = new Promise((resolve) => socket.once("disconnect", resolve));
      attacker.send(`42["chat",${nested(3)}]`);
      const message = "A packet may have 3 levels at the most";
      assert.equal(String(await failed), `RangeError: ${message}`);
      assert.equal(await disconnected, "forced close");
    }));

  test(`packets at the limits are sent everywhere, and brackets in strings do not count as levels${how}`, () =>
    withBystander({ fastPaths, maxDepth: 1000 }, async ({ url }) => {
      const client = await FrameClient.join(url);
      assert.equal(await client.frame(), '42["auth",{}]');
      const text = JSON.stringify('["\\{'.repeat(5000));
      const many = `1${",1".repeat(4093)}`;
      for (const json of [nested(999), nestedObjects(999), text, many]) {
        client.send(`42["chat",${json}]`);
        assert.equal(await client.frame(), `42["chat",${json}]`);
        client.send(`427["ack",${json}]`);
        assert.equal(await client.frame(), `437[${json}]`);
        client.send(`451-["chat",{"_placeholder":true,"num":0},${json}]`);
        client.send(Buffer.from("b"));
        assert.equal(await client.frame(), `451-["chat",{"_placeholder":true,"num":0},${json}]`);
        assert.deepEqual(await client.frame(), Buffer.from("b"));
      }
      client.socket.terminate();
    }));
}

test("the limits do not apply to an author's own parser", () =>
  withBystander({ maxDepth: 2, socketio: { parser: socketIoParser } }, async ({ url }) => {
    const client = await FrameClient.join(url);
    assert.equal(await client.frame(), '42["auth",{}]');
    client.send(`42["chat",${nested(300)}]`);
    assert.equal(await client.frame(), `42["chat",${nested(300)}]`);
    client.socket.terminate();
  }));
