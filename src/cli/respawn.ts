/**
 * Starts the command again: under another runtime's binary, or under a watcher that restarts it on change.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { awaitEnd, LAUNCHED } from "../ending.ts";
import type { Advise } from "./advice.ts";

/** How a launcher is started from a command line. */
export interface Command {
  /** The runtime as people write it: "Node.js", "Bun", "Deno". */
  readonly name: string;
  /** Its program, as it is found in node_modules/.bin or on PATH. */
  readonly binary: string;
  /** What an operator types to get it. */
  readonly install: string;
  /**
   * What the program is given before the command's own arguments; with `watch`, restarts when a file changes.
   * @param flags of the program itself, from the command line
   */
  args(watch: boolean, flags?: readonly string[]): string[];
  /** What an operator can do about errors that only this runtime has. */
  readonly advise?: Advise;
}

/** Launchers by the value of `--runtime` that stands for them. */
export type Commands = Readonly<Record<string, Command>>;

/** The command cannot be started again, for want of the program or of the permission. The message says what to do. */
export class RespawnError extends Error {
  override name = "RespawnError";
}

/**
 * Finds a runtime's program: in the node_modules of this folder, of Hinoko, and of the folders above both; then on PATH.
 * @throws {RespawnError} when it is not installed; the message says how to install it
 */
export async function findBinary({ name, binary, install }: Command): Promise<string> {
  const here = dirname(fileURLToPath(import.meta.url));
  const installed = [...above(process.cwd()), ...above(here)].map((folder) =>
    join(folder, "node_modules", ".bin"),
  );
  const path = process.env["PATH"]?.split(delimiter) ?? [];
  const suffixes = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  for (const folder of [...installed, ...path]) {
    for (const suffix of suffixes) {
      const file = join(folder, binary + suffix);
      if (await isFile(file)) return file;
    }
  }
  throw new RespawnError(`${name} is not installed here: install it with "${install}"`);
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    (error: Error) => {
      if (isDenied(error)) throw new RespawnError(`Cannot look for ${path}: ${error.message}`);
      return false;
    },
  );

/** Whether a runtime with permissions (Deno) was started without those that this needs. */
const isDenied = (error: Error): boolean => error.name === "NotCapable";

function* above(folder: string): Generator<string> {
  yield folder;
  if (dirname(folder) !== folder) yield* above(dirname(folder));
}

/**
 * Runs a program in this one's place: same terminal, stopped when this one is. Resolves with its exit status.
 * @param parent who started this process
 * @throws {RespawnError} when this runtime may not start programs
 */
export async function runAgain(
  parent: number,
  binary: string,
  ...args: readonly string[][]
): Promise<number> {
  try {
    const env = { ...process.env, [LAUNCHED]: "1" };
    const child = spawn(binary, args.flat(), { stdio: "inherit", env });
    // Not with child.kill(), after which Deno reports a death by that signal, whatever status the program ends with.
    const send = (signal: NodeJS.Signals) => {
      if (child.pid !== undefined) process.kill(child.pid, signal);
    };
    // As SIGINT, whatever came: Deno's watcher outlives SIGTERM.
    awaitEnd(parent, { stop: () => send("SIGINT"), force: () => send("SIGKILL") });
    const [status] = await once(child, "exit");
    return typeof status === "number" ? status : 1;
  } catch (error) {
    if (!(error instanceof Error && isDenied(error))) throw error;
    throw new RespawnError(`Cannot start ${binary}: ${error.message}`, { cause: error });
  }
}
