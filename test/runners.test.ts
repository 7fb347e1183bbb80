/**
 * The README's test of an app, run by each test runner as it is started by an author: it passes, and the process ends by
 * itself. Deno's own runner fails when a test leaves a timer or a connection open.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { TEST_FOLDER, withFiles, withProcess } from "./support/process.ts";
import { launcher, runtime } from "./support/runtime.ts";

/** Where the README's test gets its `test()` from, and how the runner is started in its folder. */
interface Runner {
  readonly line: string;
  readonly args: readonly string[];
}

const NODE_TEST = 'import { test } from "node:test";';

const RUNNERS: Readonly<Record<typeof runtime, Readonly<Record<string, Runner>>>> = {
  node: { "node --test": { line: NODE_TEST, args: ["--import", "tsx", "--test", "app.test.ts"] } },
  bun: {
    "bun test": { line: 'import { test } from "bun:test";', args: ["test", "./app.test.ts"] },
    "bun test, with node:test": { line: NODE_TEST, args: ["test", "./app.test.ts"] },
  },
  deno: {
    "deno test": {
      line: "const { test } = Deno;",
      args: ["test", "--allow-all", "--no-check", "app.test.ts"],
    },
    "deno test, with node:test": {
      line: NODE_TEST,
      args: ["test", "--allow-all", "--no-check", "app.test.ts"],
    },
  },
};

/** Reads the README's test, for a folder below this one. */
async function readExample(line: string): Promise<string> {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, example] = /<!-- run by test\/runners\.test\.ts -->\s+```ts\n(.*?)```/s.exec(readme) ?? [];
  assert.ok(example, "README.md has no example that this file runs");
  return example
    .replace(/^import \{ test \}.*$/m, line)
    .replace('"hinoko/testing"', '"../../runtimes/testing.ts"')
    .replace('"./app.ts"', '"../support/auth-app.ts"');
}

/** Runs the README's test, and returns what the runner has written. */
const runExample = async ({ line, args }: Runner, program = launcher.program): Promise<string> =>
  withFiles(
    { "app.test.ts": await readExample(line), "package.json": '{ "type": "module" }' },
    (folder) =>
      withProcess(program, args, { cwd: folder }, async (child) => {
        const { status, stdout, stderr } = await child.ended();
        assert.equal(status, 0, stdout + stderr);
        return stdout + stderr;
      }),
    TEST_FOLDER,
  );

for (const [name, runner] of Object.entries(RUNNERS[runtime])) {
  test(`${name} runs the README's test of an app`, async () => {
    assert.match(await runExample(runner), /a team talks/);
  });
}

/** Not a dependency of this project: it would be 40 MB for this one test. */
const VITEST = "vitest@4.1.12";

/** Installs vitest in a folder. @returns false where it cannot be had, or is not for this version of Node.js */
async function installVitest(folder: string): Promise<boolean> {
  const args = [
    "install",
    "--prefer-offline",
    "--engine-strict",
    "--no-audit",
    "--no-fund",
    "--no-save",
    VITEST,
  ];
  try {
    await promisify(execFile)("npm", args, { cwd: folder, timeout: 100_000 });
    return true;
  } catch {
    return false;
  }
}

if (runtime === "node") {
  test("vitest runs the README's test of an app", async (context) => {
    await withFiles(
      { "package.json": "{}" },
      async (vitest) => {
        if (!(await installVitest(vitest))) return context.skip(`${VITEST} cannot be installed here`);
        const args = [`${vitest}/node_modules/vitest/vitest.mjs`, "run", "--reporter=verbose"];
        const runner = { line: 'import { test } from "vitest";', args };
        assert.match(await runExample(runner, process.execPath), /a team talks/);
      },
      TEST_FOLDER,
    );
  });
}
