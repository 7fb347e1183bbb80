/**
 * Runs a test file as a process with a time limit, kills it with everything that it started, and counts its tests in the
 * JUnit report.
 */
import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import process from "node:process";

export interface TestProcess {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where the runtime writes its JUnit report. */
  readonly report: string;
  /** Where its output is written. */
  readonly log: string;
}

export interface FileOutcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly output: string;
  /** Why the file failed although none of its tests is reported as failed. */
  readonly problem: string | undefined;
}

const running = new Set<number>();

/**
 * Runs a test file until it ends.
 * @param limit in seconds; a file that takes longer is killed, and counts as one failed test
 */
export async function runTestFile(file: TestProcess, limit: number): Promise<FileOutcome> {
  const started = performance.now();
  // Not a pipe: it would stay open as long as any process that the tests left behind.
  const log = openSync(file.log, "w");
  // A process group of its own: Ctrl-C in the terminal goes to this process only, which then calls killTestFiles().
  const child = spawn(file.program, file.args, {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, ...file.env },
  });
  closeSync(log);
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    if (pid !== undefined) killTree(pid);
  }, limit * 1000);
  const status = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? signal));
  }).finally(() => clearTimeout(timer));
  if (pid !== undefined) running.delete(pid);

  const counts = count(existsSync(file.report) ? readFileSync(file.report, "utf8") : "");
  const problem = isLate
    ? `did not end within ${limit} seconds, and was killed`
    : counts.failed > 0
      ? undefined
      : status !== 0
        ? `ended with ${status}`
        : counts.passed + counts.skipped === 0
          ? "ran no test"
          : undefined;
  return {
    ...counts,
    failed: problem ? counts.failed + 1 : counts.failed,
    seconds: (performance.now() - started) / 1000,
    output: readFileSync(file.log, "utf8"),
    problem,
  };
}

/** Kills the processes of all test files that are running. */
export function killTestFiles(): void {
  for (const pid of running) killTree(pid);
}

function count(junit: string): Pick<FileOutcome, "passed" | "failed" | "skipped"> {
  const matches = (pattern: RegExp) => junit.match(pattern)?.length ?? 0;
  const failed = matches(/<(?:failure|error)\b/g);
  const skipped = matches(/<skipped\b/g);
  return { passed: matches(/<testcase\b/g) - failed - skipped, failed, skipped };
}

/** Kills a process and its descendants, also those in process groups of their own, as the servers of the tests are. */
function killTree(root: number): void {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const processes = [...(stdout ?? "").matchAll(/(\d+) +(\d+)/g)].map(([, pid, parent]) => [
    Number(pid),
    Number(parent),
  ]);
  const tree = new Set([root]);
  for (const ancestor of tree) {
    for (const [pid = 0, parent] of processes) if (parent === ancestor) tree.add(pid);
  }
  // Kill the process group as well: without `ps`, the descendants are unknown.
  for (const pid of [-root, ...tree]) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
}
