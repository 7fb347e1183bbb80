/**
 * What a client sends right before it leaves reaches the listeners, in order, although Socket.IO calls them two ticks
 * later and drops the events of a socket that is disconnected by then.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Socket } from "socket.io";
import { connect, overs, TRANSPORTS } from "../support/clients.ts";
import { PollingClient, SEPARATOR } from "../support/engine-client.ts";
import { RawWebSocket } from "../support/raw-websocket.ts";
import { type Served, withService } from "../support/service.ts";
import { inTime } from "../support/until.ts";
import { CLOSE, frame, TEXT } from "../support/websocket-protocol.ts";

const NUMBERS = [0, 1, 2, 3, 4];
const EVENTS = NUMBERS.map((number) => `42["number",${number}]`);
const FRAMES = EVENTS.map((event) => frame(TEXT, event));

/**
 * Serves a service to one client that leaves.
 * @param leave may return a function that ends the client's connection when it has been heard out
 * @returns the numbers that its listener got, and the reason of the disconnect
 */
async function hearOut(
  leave: (served: Served) => Promise<void | (() => void)>,
): Promise<[unknown[], string]> {
  const numbers: unknown[] = [];
  let reason = "";
  let onDisconnect = (_reason: string) => {};
  const disconnected = new Promise<string>((resolve) => {
    onDisconnect = resolve;
  });
  await withService(
    {},
    ({ io }) =>
      io.on("connection", (socket: Socket) => {
        socket.use((_event, next) => next());
        socket.on("number", (number) => numbers.push(number));
        socket.on("disconnect", onDisconnect);
      }),
    async (served) => {
      const end = await leave(served);
      reason = await inTime("the disconnect", disconnected);
      end?.();
    },
  );
  return [numbers, reason];
}

for (const over of overs) {
  test(`what socket.io-client emits right before disconnect() arrives: ${over}`, async () => {
    const heard = await hearOut(async ({ url }) => {
      const client = await connect(url, { transports: TRANSPORTS[over] });
      for (const number of NUMBERS) client.emit("number", number);
      client.disconnect();
    });
    assert.deepEqual(heard, [NUMBERS, "client namespace disconnect"]);
  });
}

const ENDS = [
  ["a disconnect packet", frame(TEXT, "41"), "client namespace disconnect"],
  ["a close frame", frame(CLOSE, ""), "transport close"],
  ["an invalid frame", frame(TEXT, "4", { flags: 0xf0 }), "transport error"],
] as const;

for (const [end, bytes, reason] of ENDS) {
  test(`events in one TCP packet with ${end} behind them arrive`, async () => {
    const heard = await hearOut(async ({ port }) => {
      const client = await RawWebSocket.join(port);
      client.write(Buffer.concat([...FRAMES, bytes]));
      return () => void client.socket.destroy();
    });
    assert.deepEqual(heard, [NUMBERS, reason]);
  });
}

test("events before the end of the TCP connection arrive", async () => {
  const heard = await hearOut(async ({ port }) => {
    const { socket } = await RawWebSocket.join(port);
    socket.end(Buffer.concat(FRAMES));
  });
  assert.deepEqual(heard, [NUMBERS, "transport close"]);
});

const LAST_PACKETS = [
  ["a disconnect packet", ["41"], "client namespace disconnect"],
  ["a disconnect and a close packet", ["41", "1"], "client namespace disconnect"],
  ["a close packet", ["1"], "transport close"],
] as const;

for (const [end, packets, reason] of LAST_PACKETS) {
  test(`events in one POST with ${end} behind them arrive`, async () => {
    const heard = await hearOut(async ({ url }) => {
      const client = await (await PollingClient.connect(url)).join();
      const answer = await client.post([...EVENTS, ...packets].join(SEPARATOR));
      assert.equal(await answer.text(), "ok");
    });
    assert.deepEqual(heard, [NUMBERS, reason]);
  });
}

test("a disconnect packet while attachments are missing ends the connection", async () => {
  const heard = await hearOut(async ({ url }) => {
    const client = await (await PollingClient.connect(url)).join();
    const answer = await client.post(['451-["number",{"_placeholder":true,"num":0}]', "41"].join(SEPARATOR));
    await answer.text();
    await (await client.poll()).text();
  });
  assert.deepEqual(heard, [[], "forced close"]);
});

test("a disconnect packet of a namespace leaves that namespace only", async () => {
  const left: string[] = [];
  const [numbers] = await hearOut(async ({ url, service }) => {
    service.io.of("/news").on("connection", (socket) => socket.on("disconnect", () => left.push("/news")));
    const client = await (await PollingClient.connect(url)).join();
    await (await client.post("40/news,")).text();
    assert.match((await client.packets())[0] ?? "", /^40\/news,/);
    await (await client.post(["41/news,", ...EVENTS, "41"].join(SEPARATOR))).text();
  });
  assert.deepEqual(left, ["/news"]);
  assert.deepEqual(numbers, NUMBERS);
});
