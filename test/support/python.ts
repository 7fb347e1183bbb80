/**
 * Tests with the Python client. Where Debian's packages of it are not installed they are skipped, with the reason in
 * their name; in CI they fail instead.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withProcess } from "./process.ts";

const PROGRAM = "/usr/bin/python3";
const PACKAGES = "python3-socketio python3-aiohttp python3-requests python3-websocket";
const SCRIPT = fileURLToPath(new URL("client.py", import.meta.url));

const imports = ["-c", "import socketio, aiohttp, requests, websocket"];
const isThere = spawnSync(PROGRAM, imports, { stdio: "ignore" }).status === 0;

/** Defines a test that can run client.py, and gets the JSON that it prints. */
export function pythonTest(
  name: string,
  body: (run: (...args: string[]) => Promise<unknown>) => Promise<void>,
): void {
  if (!isThere) {
    if (process.env["CI"])
      throw new Error(
        `python3-socketio must be installed in CI, where no test is skipped: apt-get install ${PACKAGES}`,
      );
    void test.skip(`${name} (python3-socketio is not installed)`);
    return;
  }
  test(name, () => body(run));
}

const run = (...args: string[]): Promise<unknown> =>
  withProcess(PROGRAM, [SCRIPT, ...args], { env: { PYTHONIOENCODING: "utf-8" } }, async (child) => {
    const { status, stdout, stderr } = await child.ended();
    if (status !== 0) throw new Error(`The script ended with ${status}: ${stderr}`);
    return JSON.parse(stdout);
  });
