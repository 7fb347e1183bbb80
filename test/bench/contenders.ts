/**
 * Who is compared: each runtime's Hinoko, its default pairing, its ceiling; and servers of the same kind elsewhere.
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { commands, NO_LEGACY_ABORT, YOUNG_GENERATION } from "../../runtimes/commands.ts";
import { findBinary } from "../../src/cli/respawn.ts";

/** A contender's part in the comparison. */
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

/** Debian's Python, whose packages those of Debian are for. */
export const PYTHON = "/usr/bin/python3";

/** The Debian packages of the Python modules that a server needs, those that are not installed. */
const missingPackages = (modules: Readonly<Record<string, string>>) =>
  Object.entries(modules).flatMap(([module, name]) =>
    existsSync(`/usr/lib/python3/dist-packages/${module}`) ? [] : [name],
  );

interface PythonServer {
  readonly runtime: string;
  readonly file: string;
  /** The Debian package of each module. */
  readonly modules: Readonly<Record<string, string>>;
}

const PYTHON_SERVERS: readonly PythonServer[] = [
  {
    runtime: "gevent",
    file: "gevent_django",
    modules: {
      socketio: "python3-socketio",
      gevent: "python3-gevent",
      geventwebsocket: "python3-gevent-websocket",
      django: "python3-django",
    },
  },
  {
    runtime: "uvicorn",
    file: "uvicorn_asgi",
    modules: { socketio: "python3-socketio", uvicorn: "python3-uvicorn", websockets: "python3-websockets" },
  },
];

/** What --on and --as choose from. */
export const runtimes = ["node", "bun", "deno", ...PYTHON_SERVERS.map(({ runtime }) => runtime)];
export const roles: readonly Role[] = [
  "hinoko",
  "without fast paths",
  "default",
  "plain",
  "ceiling",
  "python",
];

export interface Field {
  readonly contenders: Contender[];
  /** Lines about those that this machine can't run. */
  readonly missing: string[];
}

/** All contenders. */
export async function findContenders(): Promise<Field> {
  const contenders: Contender[] = [];
  const missing: string[] = [];
  const add = (runtime: string, role: Role, command: readonly string[], file: string, env = {}) =>
    contenders.push({ name: `${runtime} ${role}`, runtime, role, command: [...command, file], env });

  const binaries = await findBinaries(missing);
  for (const [runtime, binary] of Object.entries(binaries)) {
    const command =
      runtime === "deno" ? [binary, "run", "--allow-all", "--no-check", NO_LEGACY_ABORT] : [binary];
    // As the command of Hinoko starts it
    const own = runtime === "deno" ? [...command, YOUNG_GENERATION] : command;
    add(runtime, "hinoko", own, server("hinoko"));
    add(runtime, "without fast paths", own, server("hinoko"), { FAST_PATHS: "false" });
    add(runtime, "default", command, server(runtime === "bun" ? "pairing-bun" : "pairing"));
    if (runtime === "node") add(runtime, "plain", command, server("plain"));
    add(runtime, "ceiling", command, server(runtime === "node" ? "raw" : `raw-${runtime}`));
  }
  for (const { runtime, file, modules } of PYTHON_SERVERS) {
    const packages = missingPackages(modules);
    if (packages.length === 0) add(runtime, "python", [PYTHON], script(file));
    else missing.push(`${runtime} is left out: Debian's ${packages.join(", ")} are not installed`);
  }
  return { contenders, missing };
}

/** The program of each runtime that is installed. */
async function findBinaries(missing: string[]): Promise<Record<string, string>> {
  const binaries: Record<string, string> = { node: process.execPath };
  for (const runtime of ["bun", "deno"] as const) {
    try {
      binaries[runtime] = await findBinary(commands[runtime]);
    } catch (error) {
      missing.push(`${runtime} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return binaries;
}
