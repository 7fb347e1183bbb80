/**
 * A crowd of clients of one service, with fast paths and without: what they see must be the same.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../src/index.ts";
import { RawClient } from "./raw-client.ts";
import { type Served, withService } from "./service.ts";

/** Runs a test with a crowd of clients, with fast paths and without. */
export function withCrowd(
  name: string,
  size: number,
  run: (served: Served & { io: Service["io"] }, crowd: RawClient[]) => Promise<void>,
): void {
  for (const fastPaths of [true, false]) {
    test(`${name}${fastPaths ? "" : " (without fast paths)"}`, () =>
      withService({ fastPaths }, async (served) => {
        const crowd = await RawClient.crowd(served.url, size);
        try {
          await run({ ...served, io: served.service.io }, crowd);
        } finally {
          for (const client of crowd) client.destroy();
        }
      }));
  }
}

/** Whole numbers. */
export const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

/** Waits until each client has received this number. */
export const received = (crowd: readonly RawClient[], last: number) =>
  Promise.all(crowd.map((client) => client.until(() => client.last === last)));

/** The server's end of a client. */
export const socketOf = (io: Service["io"], { sid }: RawClient) => {
  const socket = io.sockets.sockets.get(sid);
  assert.ok(socket);
  return socket;
};
