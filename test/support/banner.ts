/**
 * What the tests of the command ask for: the banner that it prints when it serves, and a port that it may have.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Child } from "./process.ts";

const BANNER = /^Hinoko \S+ on (?<name>\S+) (?<version>\S+)\n(?<rows>(?: {2}.*\n)*? {2}Origins .*\n)/m;

/** Waits for the command's (next) banner; tells the runtime that it names, and its rows. */
export async function banner(child: Child) {
  const { name, version, rows = "" } = (await child.wrote(BANNER)).groups ?? {};
  const row = (title: string) => new RegExp(`^ {2}${title} +(.*)$`, "m").exec(rows)?.[1] ?? "";
  const [url = "", ...rest] = row("Address").split(" ");
  return { name, version, row, url, listening: rest.join(" ") };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === "object" && address);
  return address.port;
}
