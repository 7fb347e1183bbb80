/**
 * Tests with many clients of one service, with fast paths and without: the clients must receive the same.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service, ServiceOptions } from "../../src/index.ts";
import { RawClient } from "./raw-client.ts";
import { type Served, withService } from "./service.ts";

/** Defines a test with a crowd of clients that runs twice: with fast paths and without. */
export function withCrowd(
  name: string,
  size: number,
  run: (served: Served & { io: Service["io"] }, crowd: RawClient[]) => Promise<void>,
  options: ServiceOptions = {},
): void {
  for (const fastPaths of [true, false]) {
    test(`${name}${fastPaths ? "" : " (without fast paths)"}`, () =>
      withService({ ...options, fastPaths }, async (served) => {
        const crowd = await RawClient.crowd(served.url, size);
        try {
          await run({ ...served, io: served.service.io }, crowd);
        } finally {
          for (const client of crowd) client.destroy();
        }
      }));
  }
}

/** The whole numbers from `from` up to but not including `to`. */
export const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

/** Waits until the last number that each client has received is this one. */
export const received = (crowd: readonly RawClient[], last: number) =>
  Promise.all(crowd.map((client) => client.until(() => client.last === last)));

/** Finds the Socket.IO socket of a client on the server. */
export const socketOf = (io: Service["io"], { sid }: RawClient) => {
  const socket = io.sockets.sockets.get(sid);
  assert.ok(socket);
  return socket;
};
