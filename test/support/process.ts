/**
 * Child processes of the runtime under test: the command, scripts, and whatever else a test starts. None outlives its test.
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

/** For files that must be inside this project: that import from it, or that are watched. */
export const TEST_FOLDER = fileURLToPath(new URL("..", import.meta.url));

export interface ProcessOptions {
  cwd?: string;
  /** Besides what is inherited, of which the settings are no part. */
  env?: Record<string, string>;
}

export interface Outcome {
  /** The exit status; `null` for a death by a signal. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running process, and what it has written so far. */
export class Child {
  stdout = "";
  stderr = "";
  /** Settled when the process has ended, and everything it started: they share its output. */
  readonly #closed: Promise<number | null>;
  readonly #process: ChildProcess;
  readonly #changes = new EventEmitter();
  #hasClosed = false;
  readonly #read = { stdout: 0, stderr: 0 };

  constructor(program: string, args: readonly string[], { cwd, env }: ProcessOptions = {}) {
    // A group of its own, so that all of it can be killed.
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

  /** Waits for the next match in what it writes, behind the match of the last call. */
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

  /** Waits until it has ended, with everything that it started. */
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

  /** Signals this process alone. */
  signal(name: NodeJS.Signals): void {
    // Not the child's own kill(), after which Deno reports a death by that signal whatever the status is.
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
      // they have just ended by themselves
    }
  }

  #disappointment(what: string): Error {
    return new Error(`The process ${what}. stdout: ${this.stdout}\nstderr: ${this.stderr}`);
  }
}

/** Runs a test with a process, which is killed afterwards whatever happens. */
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

/** Runs a test with the command, as it is started under this runtime. */
export const withCommand = <T>(
  args: readonly string[],
  options: ProcessOptions,
  test: (child: Child) => Promise<T>,
): Promise<T> => withProcess(launcher.program, [...launcherArgs(args), ...args], options, test);

/** Runs the command to its end. */
export const runCommand = (args: readonly string[], options: ProcessOptions = {}): Promise<Outcome> =>
  withCommand(args, options, (child) => child.ended());

/** Runs a script of this project under this runtime to its end, with the permissions that the command has. */
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

/** The command, serving. Whoever starts it kills it. */
export interface Running {
  readonly url: string;
  /** Kills it without a word to its clients, and waits until it is gone. */
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

/** Where there are permissions, starting another program needs one more than serving does. */
function launcherArgs(args: readonly string[]): string[] {
  const starts = args.some((arg) => /^--(?:runtime|reload|$)/.test(arg));
  return starts && runtime === "deno" ? launcher.args.toSpliced(1, 0, "--allow-run") : launcher.args;
}

/** The environment of the tests without the settings in it, and without what a test runner tells its own children. */
function inherited(): Record<string, string | undefined> {
  const settings = new Set(Object.values(SETTINGS).map(({ variable }) => variable));
  const isTheTests = (name: string) => settings.has(name) || /^(?:npm_|NODE_TEST_|FORCE_COLOR$)/.test(name);
  const entries = Object.entries(process.env).filter(([name]) => !isTheTests(name));
  return { ...Object.fromEntries(entries), NO_COLOR: "1" };
}

/** Runs a test with files in a folder of their own, which is removed afterwards. */
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
