/**
 * Bytes arrive unchanged, whatever kind of memory they are in and by whichever way they are sent.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { test } from "node:test";
import { socketOf, withCrowd } from "./support/crowd.ts";
import { FrameClient, PollingClient } from "./support/engine-client.ts";
import { withService } from "./support/service.ts";

/** Eight bytes of shared memory, the numbers from 0 to 7. */
function shared(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(8);
  new Uint8Array(memory).set([0, 1, 2, 3, 4, 5, 6, 7]);
  return memory;
}

const [FOUR, BASE64] = ["02030405", Buffer.of(2, 3, 4, 5).toString("base64")];

/** The same four bytes, in each kind of memory. */
const KINDS: Record<string, () => ArrayBuffer | ArrayBufferView> = {
  "a Buffer": () => Buffer.of(2, 3, 4, 5),
  "an ArrayBuffer": () => Uint8Array.of(2, 3, 4, 5).buffer,
  "a view on a part of memory": () => new DataView(Uint8Array.of(1, 2, 3, 4, 5, 6).buffer, 1, 4),
  "a view on shared memory": () => new Uint8Array(shared(), 2, 4),
  "a DataView on shared memory": () => new DataView(shared(), 2, 4),
  "a Buffer on shared memory": () => Buffer.from(shared(), 2, 4),
};

const HEADER = '51-["bytes",{"data":{"_placeholder":true,"num":0}}]';

for (const [kind, make] of Object.entries(KINDS)) {
  withCrowd(`${kind} arrives over WebSocket, sent to one and to many`, 20, async ({ io }, crowd) => {
    const [first] = crowd;
    assert.ok(first);
    const expected = [`4${HEADER}`, `<${FOUR}>`];
    socketOf(io, first).emit("bytes", { data: make() });
    await first.until(({ length }) => length >= 2);
    assert.deepEqual(first.messages, expected);
    first.messages.length = 0;
    // The adapter publishes to a crowd from the second broadcast on; the first goes through the sessions.
    for (let round = 1; round <= 3; round++) io.emit("bytes", { data: make() });
    await Promise.all(crowd.map((client) => client.until(({ length }) => length >= 6)));
    for (const { messages } of crowd) assert.deepEqual(messages, [...expected, ...expected, ...expected]);
  });

  test(`${kind} arrives over polling`, () =>
    withService(
      {},
      ({ io }) => {
        io.on("connection", (socket) => socket.on("ask", () => socket.emit("bytes", { data: make() })));
      },
      async ({ url }) => {
        const client = await (await PollingClient.connect(url)).join();
        await client.post('42["ask"]');
        const packets = await client.packets();
        if (packets.length === 1) packets.push(...(await client.packets()));
        assert.deepEqual(packets, [`4${HEADER}`, `b${BASE64}`]);
      },
    ));

  test(`${kind} arrives when it is sent with send() of the Engine.IO session`, () =>
    withService({}, async ({ url, service }) => {
      const [client, [socket]] = await Promise.all([FrameClient.join(url), once(service.io, "connection")]);
      socket.conn.send(make());
      const frame = await client.frame();
      assert.equal(Buffer.isBuffer(frame) && frame.toString("hex"), FOUR);
      client.socket.terminate();
    }));
}
