/**
 * What the command finds where it is started: the app, .env, and the runtime's own flags behind "--".
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { commands } from "../runtimes/commands.ts";
import { banner } from "./support/banner.ts";
import { withCommand, withFiles } from "./support/process.ts";
import { runtime } from "./support/runtime.ts";

const RUNTIMES = ["node", "bun", "deno"] as const;

const APP = `export default ({ app }) => { app.get("/hello", (c) => c.text("hello")); };`;

describe("the app", { concurrency: 4 }, () => {
  for (const file of ["app.ts", "app.js", "src/app.ts", "src/app.js"]) {
    test(`without --app the command takes ${file} of the current folder`, () =>
      withFiles({ "package.json": '{ "type": "module" }', [file]: APP }, (cwd) =>
        withCommand(["127.0.0.1:0"], { cwd }, async (child) => {
          const { url, row } = await banner(child);
          assert.equal(row("App"), file);
          assert.equal(await (await fetch(`${url}/hello`)).text(), "hello");
          assert.equal((await fetch(url)).status, 404);
        }),
      ));
  }
});

describe(".env", { concurrency: 4 }, () => {
  for (const target of RUNTIMES) {
    test(`.env is read under ${commands[target].name}, and the environment wins over it`, () => {
      const files = {
        ".env": 'export HOST="127.0.0.1"\nPORT=0 # any\nTRANSPORTS=polling\nALLOWED_HOSTS=$HOST\n',
        ".env.local": "TRANSPORTS=nothing",
      };
      const env = { TRANSPORTS: "websocket", ALLOWED_HOSTS: "127.0.0.1" };
      return withFiles(files, (cwd) =>
        withCommand(["--runtime", target], { cwd, env }, async (child) => {
          const { name, url, listening, row } = await banner(child);
          assert.equal(name, commands[target].name);
          assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
          assert.notEqual(url, "http://127.0.0.1:8000");
          assert.equal(listening, "");
          assert.equal(row("Transports"), "websocket");
          assert.equal(row("Hosts"), "127.0.0.1");
        }),
      );
    });
  }
});

const FLAGS = { node: "--max-old-space-size=200", bun: "--smol", deno: "--allow-write" } as const;
const WRITER = `
  import { writeFileSync } from "node:fs";
  export default ({ app }) => {
    app.get("/", (c) => {
      writeFileSync(new URL("written.txt", import.meta.url), "");
      return c.text(process.execArgv.join(" "));
    });
  };
`;

describe("flags for the runtime", { concurrency: 4 }, () => {
  for (const target of [undefined, ...RUNTIMES]) {
    const flag = FLAGS[target ?? runtime];
    const asked = target ? ["--runtime", target] : [];
    test(`hinoko ${[...asked, "--", flag].join(" ")} gives the flag to the runtime`, () =>
      withFiles({ "app.mjs": WRITER }, (folder) => {
        const isDeno = (target ?? runtime) === "deno";
        const given = isDeno ? `${flag}=${folder}` : flag;
        const args = ["127.0.0.1:0", "--app", join(folder, "app.mjs"), ...asked, "--", given];
        return withCommand(args, {}, async (child) => {
          const response = await fetch((await banner(child)).url);
          assert.equal(response.status, 200);
          if (!isDeno) assert.match(await response.text(), new RegExp(`(?:^| )${flag}\\b`));
          child.signal("SIGTERM");
          assert.equal((await child.ended()).status, 0);
        });
      }));
  }

  test("an app that lacks a permission of Deno's has the log say which flag gives it, and how", () =>
    withFiles({ "app.mjs": WRITER }, (folder) => {
      const args = ["127.0.0.1:0", "--app", join(folder, "app.mjs"), "--runtime", "deno"];
      return withCommand(args, {}, async (child) => {
        assert.equal((await fetch((await banner(child)).url)).status, 500);
        const line = /^The app lacks .* end the command with: -- (?<flag>--allow-write=\S+)$/m;
        const { groups } = await child.wrote(line, "stderr");
        assert.equal(groups?.["flag"], `--allow-write=${join(folder, "written.txt")}`);
      });
    }));
});
