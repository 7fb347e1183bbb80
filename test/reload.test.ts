/**
 * hinoko runserver --reload: starts again when the app changes, and when a broken one is mended.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { banner } from "./support/banner.ts";
import { type Child, TEST_FOLDER, withCommand, withFiles } from "./support/process.ts";

const app = (text: string) => `export default ({ app }) => { app.get("/", (c) => c.text("${text}")); };`;

/** Waits until the app answers with a text. A change of any other file of the project restarts it as well. */
async function serves(child: Child, text: string): Promise<void> {
  for (;;) {
    const { url } = await banner(child);
    const response = await fetch(url).catch(() => undefined);
    if ((await response?.text()) === text) return;
  }
}

test("--reload starts again when the app has changed, until it is told to end", () =>
  withFiles(
    { "app.mjs": app("one") },
    (folder) =>
      withCommand(["127.0.0.1:0", "--reload", "--app", join(folder, "app.mjs")], {}, async (child) => {
        await serves(child, "one");
        await writeFile(join(folder, "app.mjs"), app("two"));
        await serves(child, "two");
        child.signal("SIGTERM");
        assert.equal((await child.ended()).status, 0);
      }),
    TEST_FOLDER, // a watcher may see nothing outside the project
  ));

/** Saves a file now and every few seconds until a promise is settled: a watcher that is just starting misses a change. */
async function saveUntil(file: string, text: string, done: () => Promise<void>): Promise<void> {
  await writeFile(file, text);
  const timer = setInterval(() => void writeFile(file, text), 4_000);
  await done().finally(() => clearInterval(timer));
}

const BROKEN: [text: string, said: RegExp][] = [
  ["export default () => { let let };", /Cannot load the app \S+app\.mjs: ./],
  ['export default () => { throw new Error("too hot"); };', /too hot/],
  ["export const app = 1;", /must have a function/],
];

test("--reload outlives a broken app, at the start and later: mended, it is served again", () =>
  withFiles(
    { "app.mjs": BROKEN[0]?.[0] ?? "" },
    (folder) =>
      withCommand(["127.0.0.1:0", "--reload", "--app", join(folder, "app.mjs")], {}, async (child) => {
        for (const [text, said] of BROKEN) {
          const file = join(folder, "app.mjs");
          await saveUntil(file, text, async () => void (await child.wrote(said, "stderr")));
          await saveUntil(file, app("mended"), () => serves(child, "mended"));
        }
      }),
    TEST_FOLDER,
  ));
