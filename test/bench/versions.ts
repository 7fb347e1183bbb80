/**
 * The versions of what is compared.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { commands } from "../../runtimes/commands.ts";
import { type Command, findBinary } from "../../src/cli/respawn.ts";
import { PYTHON } from "./contenders.ts";

const PACKAGES = ["hono", "@hono/node-server", "socket.io", "engine.io", "@socket.io/bun-engine", "ws"];
const PYTHON_PACKAGES = ["python-socketio", "gevent", "Django", "uvicorn"];

/** What is not installed is not there. */
export async function versions(): Promise<Record<string, string>> {
  const require = createRequire(import.meta.url);
  const [bun, deno] = await Promise.all([versionOf(commands.bun), versionOf(commands.deno)]);
  const entries = [
    ["node", process.versions.node],
    ["bun", bun],
    ["deno", deno],
    ...PACKAGES.map((name) => [name, versionOfPackage(require, name)]),
    ...PYTHON_PACKAGES.map((name) => [name, versionInPython(name)]),
  ];
  return Object.fromEntries(entries.filter(([, version]) => version));
}

/** What a program answers, without a word that it may say besides. */
function ask(file: string, args: string[]): string | undefined {
  try {
    const answer = execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return /\d+\.\d[\w.+-]*/.exec(answer)?.[0];
  } catch {
    return undefined;
  }
}

const versionOf = (command: Command) =>
  findBinary(command).then(
    (binary) => ask(binary, ["--version"]),
    () => undefined,
  );

const versionInPython = (name: string) =>
  ask(PYTHON, ["-c", "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))", name]);

function versionOfPackage(require: NodeJS.Require, name: string): string | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = `${folder}/${name}/package.json`;
    if (!existsSync(file)) continue;
    const { version }: { version: string } = require(file);
    return version;
  }
  return undefined;
}
