/**
 * Child processes: Hinoko's command, scripts, and whatever else a test starts. All are killed when their test ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { SETTINGS } from "../../src/settings.ts";
import { launcher, runtime } from "./runtime.ts";
import { PATIENCE } from "./until.ts";

/** A folder inside this project, for files that import from it or that are watched. */
export const TEST_FOLDER = fileURLToPath(new URL("..", import.meta.url));

export interface ProcessOptions {
  cwd?: string;
  /** Added to the environment of the tests, from which the settings are removed. */
  env?: Record<string, string>;
}

export interface Outcome {
  /** The exit status; `null` for a death by a signal. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process, and what it has written so far. */
export class Child {
  stdout = "";
  stderr = "";
  /** Resolves when the process and everything that it started have ended, because they share its stdout. */
  readonly #closed: Promise<number | null>;
  readonly #process: ChildProcess;
  readonly #changes = new EventEmitter();
  #hasClosed = false;
  readonly #read = { stdout: 0, stderr: 0 };

  constructor(program: string, args: readonly string[], { cwd, env }: ProcessOptions = {}) {
    // A process group of its own, so that killAll() reaches everything that it starts.
    this.#process = spawn(program, args, {
      ...(cwd !== undefined && { cwd }),
      env: { ...inherited(), ...env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const name of ["stdout", "stderr"] as const) {
      this.#process[name]?.setEncoding("utf8").on("data", (chunk: string) => {
        this[name] += chunk;
        this.#changes.emit("change");
      });
    }
    const onExit = () => this.killAll();
    process.once("exit", onExit);
    this.#closed = new Promise((resolve, reject) => {
      this.#process.once("error", reject);
      this.#process.once("close", (status) => {
        this.#hasClosed = true;
        process.off("exit", onExit);
        this.#changes.emit("change");
        resolve(status);
      });
    });
  }

  /**
   * Waits until what it writes matches, and resolves with the match. Each call searches behind the match of the last one.
   */
  async wrote(pattern: RegExp, stream: "stdout" | "stderr" = "stdout"): Promise<RegExpExecArray> {
    const patience = AbortSignal.timeout(PATIENCE);
    for (;;) {
      const match = pattern.exec(this[stream].slice(this.#read[stream]));
      if (match) {
        this.#read[stream] += match.index + match[0].length;
        return match;
      }
      if (this.#hasClosed || patience.aborted) throw this.#disappointment(`wrote no ${String(pattern)}`);
      await once(this.#changes, "change", { signal: patience }).catch(() => {});
    }
  }

  /** Waits until it, and everything that it started, has ended. */
  async ended(): Promise<Outcome> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const impatience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#disappointment("did not end")), PATIENCE);
    });
    const status = await Promise.race([this.#closed, impatience]).finally(() => clearTimeout(timer));
    return { status, stdout: this.stdout, stderr: this.stderr };
  }

  /** Closes the pipes that it writes to, as `| head -1` does. */
  closeOutput(): void {
    this.#process.stdout?.destroy();
    this.#process.stderr?.destroy();
  }

  /** Sends a signal to this process only. */
  signal(name: NodeJS.Signals): void {
    // Not ChildProcess.kill(): after it, Deno reports a death by this signal, whatever the exit status was.
    if (this.#process.pid !== undefined) process.kill(this.#process.pid, name);
  }

  /** Signals this process and everything that it started, as Ctrl-C does in a terminal. */
  signalAll(name: NodeJS.Signals): void {
    if (this.#process.pid !== undefined) process.kill(-this.#process.pid, name);
  }

  /** Kills this process and everything that it started. */
  killAll(): void {
    if (this.#hasClosed || this.#process.pid === undefined) return;
    try {
      process.kill(-this.#process.pid, "SIGKILL");
    } catch {
      // They have just ended by themselves.
    }
  }

  #disappointment(what: string): Error {
    return new Error(`The process ${what}. stdout: ${this.stdout}\nstderr: ${this.stderr}`);
  }
}

/** Runs a test with a process, and kills the process when the test ends or fails. */
export async function withProcess<T>(
  program: string,
  args: readonly string[],
  options: ProcessOptions,
  test: (child: Child) => Promise<T>,
): Promise<T> {
  const child = new Child(program, args, options);
  try {
    return await test(child);
  } finally {
    child.killAll();
  }
}

/** Runs a test with Hinoko's command, started under this runtime. */
export const withCommand = <T>(
  args: readonly string[],
  options: ProcessOptions,
  test: (child: Child) => Promise<T>,
): Promise<T> => withProcess(launcher.program, [...launcherArgs(args), ...args], options, test);

/** Runs Hinoko's command until it ends. */
export const runCommand = (args: readonly string[], options: ProcessOptions = {}): Promise<Outcome> =>
  withCommand(args, options, (child) => child.ended());

/** Runs a script under this runtime until it ends, with the permissions of the command. It may import from the project. */
export const runScript = (source: string, options: ProcessOptions = {}): Promise<Outcome> =>
  withFiles(
    { "main.mjs": source },
    (folder) =>
      withProcess(
        launcher.program,
        [...launcher.args.slice(0, -1), join(folder, "main.mjs")],
        options,
        (child) => child.ended(),
      ),
    TEST_FOLDER,
  );

/** The command while it serves. The caller of start() must kill it. */
export interface Running {
  readonly url: string;
  /** Kills it, so that its clients are not told, and waits until it has ended. */
  kill(): Promise<void>;
}

/** Starts the command and waits until it serves. */
export async function start(args: readonly string[], options: ProcessOptions = {}): Promise<Running> {
  const child = new Child(launcher.program, [...launcherArgs(args), ...args], options);
  const kill = async () => {
    child.killAll();
    await child.ended();
  };
  try {
    const [, url = ""] = await child.wrote(/^ {2}Address +(\S+)/m);
    return { url, kill };
  } catch (error) {
    child.killAll();
    throw error;
  }
}

/** The arguments that start the command. On Deno, `--runtime` and `--reload` need permission to start programs. */
function launcherArgs(args: readonly string[]): string[] {
  const starts = args.some((arg) => /^--(?:runtime|reload|$)/.test(arg));
  return starts && runtime === "deno" ? launcher.args.toSpliced(1, 0, "--allow-run") : launcher.args;
}

/** The environment of the tests, without Hinoko's settings and without the variables that test runners set. */
function inherited(): Record<string, string | undefined> {
  const settings = new Set(Object.values(SETTINGS).map(({ variable }) => variable));
  const isTheTests = (name: string) => settings.has(name) || /^(?:npm_|NODE_TEST_|FORCE_COLOR$)/.test(name);
  const entries = Object.entries(process.env).filter(([name]) => !isTheTests(name));
  return { ...Object.fromEntries(entries), NO_COLOR: "1" };
}

/** Runs a test with files in a new folder, which is removed afterwards. */
export async function withFiles<T>(
  files: Readonly<Record<string, string>>,
  test: (folder: string) => Promise<T>,
  parent = tmpdir(),
): Promise<T> {
  const folder = await realpath(await mkdtemp(join(parent, ".tmp-hinoko-")));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return await test(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
