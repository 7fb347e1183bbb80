/**
 * What a WebSocket keeps of its handshake's way through the Hono chain: nothing. A service may have thousands of
 * WebSockets.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../src/index.ts";
import { joinWebSocket } from "../support/engine-client.ts";
import { withService } from "../support/service.ts";

/** Counts the listeners on the connection of a WebSocket, by event. */
async function countListeners(setup: (service: Service) => void): Promise<unknown[]> {
  const counts: unknown[] = [];
  await withService({}, setup, async ({ url, service: { io } }) => {
    const [client, { request }] = await joinWebSocket(url, io);
    const { socket } = request;
    for (const event of socket.eventNames()) counts.push([event, socket.listenerCount(event)]);
    client.socket.terminate();
  });
  return counts;
}

test("a WebSocket behind a middleware keeps no more listeners than one without", async () => {
  const direct = await countListeners(() => {});
  assert.deepEqual(await countListeners(({ app }) => app.use((_, next) => next())), direct);
});
