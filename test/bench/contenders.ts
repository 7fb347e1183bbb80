/**
 * Who is compared: each runtime's Hinoko, its default pairing, its ceiling; and servers of the same kind elsewhere.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { commands } from "../../runtimes/commands.ts";
import { findBinary } from "../../src/respawn.ts";

export type Role = "hinoko" | "without fast paths" | "default" | "plain" | "ceiling" | "python";

export interface Contender {
  readonly name: string;
  /** Whose default and ceiling its figures are compared with. */
  readonly runtime: string;
  readonly role: Role;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Servers that speak Socket.IO, as opposed to a ceiling. */
export const speaksSocketIo = ({ role }: Contender): boolean => role !== "ceiling";

const server = (name: string) => fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url));
const script = (name: string) =>
  fileURLToPath(new URL(`../../../../test/bench/servers/${name}.py`, import.meta.url));

const NO_WARNING = "--unstable-no-legacy-abort";

/** Debian's Python, whose packages those of Debian are for. */
const PYTHON = "/usr/bin/python3";

/** Whether Debian's package of a Python module is installed. */
const hasModule = (name: string) => existsSync(`/usr/lib/python3/dist-packages/${name}`);

/** All contenders that this machine can run. */
export async function contenders(): Promise<Contender[]> {
  const node = [process.execPath];
  const bun = [await findBinary(commands.bun)];
  const deno = [await findBinary(commands.deno), "run", "--allow-all", "--no-check", NO_WARNING];
  const all: Contender[] = [];
  const add = (runtime: string, role: Role, command: string[], file: string, env = {}) =>
    all.push({ name: `${runtime} ${role}`, runtime, role, command: [...command, file], env });

  const off = { FAST_PATHS: "false" };
  for (const [runtime, command] of Object.entries({ node, bun, deno })) {
    add(runtime, "hinoko", command, server("hinoko"));
    add(runtime, "without fast paths", command, server("hinoko"), off);
    add(runtime, "default", command, server(runtime === "bun" ? "pairing-bun" : "pairing"));
    if (runtime === "node") add(runtime, "plain", command, server("plain"));
    add(runtime, "ceiling", command, server(runtime === "node" ? "raw" : `raw-${runtime}`));
  }
  if (hasModule("socketio") && hasModule("gevent") && hasModule("django"))
    add("gevent", "python", [PYTHON], script("gevent_django"));
  if (hasModule("socketio") && hasModule("uvicorn"))
    add("uvicorn", "python", [PYTHON], script("uvicorn_asgi"));
  return all;
}

/** The versions of what is compared. */
export function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const packages = ["hono", "@hono/node-server", "socket.io", "engine.io", "@socket.io/bun-engine", "ws"];
  const entries = packages.map((name): [string, string] => [name, versionOf(require, name)]);
  return { node: process.versions.node, ...Object.fromEntries(entries) };
}

function versionOf(require: NodeJS.Require, name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = `${folder}/${name}/package.json`;
    if (!existsSync(file)) continue;
    const { version }: { version: string } = require(file);
    return version;
  }
  return "?";
}
