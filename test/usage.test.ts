/**
 * What the command says when it cannot do what it is asked to.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCommand, runScript, withFiles } from "./support/process.ts";

describe("bad usage and bad configuration end the command with one line and status 2:", {
  concurrency: 4,
}, () => {
  const HOST_PORT = "HOST:PORT must be a port or an address and a port, as 8000, 0.0.0.0:8000 or [::1]:8000";
  const HOSTS_FORM =
    'a list of host names without scheme or port ("example.org, .example.org, [::1]" or "*")';
  const PROXY_FORM = 'true, false, a number of proxies, or a list of addresses ("loopback, 10.0.0.0/8")';
  const REFUSED: [args: string[], env: Record<string, string>, line: string | RegExp][] = [
    [["--runtime", "x"], {}, "Unknown runtime: x (known: node, bun, deno)"],
    [["--runtime=constructor"], {}, "Unknown runtime: constructor (known: node, bun, deno)"],
    [["--runtime"], {}, /--runtime/],
    [
      ["--speed", "9"],
      {},
      'Unknown option: --speed (known: --app, --runtime, --reload, --help, --version; a runtime\'s own go behind "--")',
    ],
    [["--relaod"], {}, "Unknown option: --relaod (did you mean --reload?)"],
    [["--application=app.js"], {}, "Unknown option: --application (did you mean --app?)"],
    [["dev"], {}, "Unknown command: dev (known: runserver)"],
    [["serve", "8000"], {}, "Unknown command: serve (known: runserver)"],
    [["80a"], {}, `${HOST_PORT} (got "80a")`],
    [["127.0.0.1:65536"], {}, `${HOST_PORT} (got "127.0.0.1:65536")`],
    [["::1:8000"], {}, `${HOST_PORT} (got "::1:8000")`],
    [["runserver", "example.org"], {}, `${HOST_PORT} (got "example.org")`],
    [["runserver", "8000", "9000"], {}, 'One HOST:PORT is expected (got "runserver 8000 9000")'],
    [[], { PORT: "80a" }, 'PORT must be a number between 0 and 65535 (got "80a")'],
    [["0"], { ALLOWED_HOSTS: "http://x" }, `ALLOWED_HOSTS must be ${HOSTS_FORM} (got "http://x")`],
    [["0"], { TRUST_PROXY: "me?" }, `TRUST_PROXY must be ${PROXY_FORM} (got "me?")`],
    [["0"], { TRANSPORTS: "post" }, 'TRANSPORTS must be a list of "polling" and "websocket" (got "post")'],
    [["192.0.2.1:0"], {}, "Cannot listen on 192.0.2.1:0: this machine has no such address"],
  ];
  for (const [args, env, line] of REFUSED) {
    const given = [...Object.entries(env).map((entry) => entry.join("=")), "hinoko", ...args].join(" ");
    test(given, async () => assertRefused(await runCommand(args, { env }), line));
  }

  const BROKEN: [file: string, text: string, line: string | RegExp][] = [
    [
      "app.mjs",
      "export const app = () => {};",
      /must have a function .* as default export \(got undefined\)$/,
    ],
    [
      "app.mjs",
      "export default { fetch() {} };",
      /must have a function .* as default export \(got object\)$/,
    ],
    ["app.mjs", "export default () => { let let };", /^Cannot load the app \S+app\.mjs: ./],
    ["app.ts", "export default (a: string => {};\nlet 1;", /^Cannot load the app \S+app\.ts: ./],
    ["app.mjs", 'import "./nowhere.mjs";', /^Cannot load the app \S+app\.mjs: .*nowhere\.mjs/],
    ["app.mjs", 'import { nothing } from "node:fs";', /^Cannot load the app \S+app\.mjs: .*nothing/],
    ["other.mjs", "", /^Cannot load the app \S+app\.mjs: there is no such file/],
  ];
  for (const [file, text, line] of BROKEN) {
    test(`--app with ${JSON.stringify(text)} in ${file}`, () =>
      withFiles({ [file]: text }, async (folder) => {
        const app = join(folder, file.replace("other", "app"));
        assertRefused(await runCommand(["127.0.0.1:0", "--app", app]), line);
      }));
  }

  test("a port that is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const outcome = await runCommand([`127.0.0.1:${port}`]);
    server.close();
    assertRefused(outcome, `Cannot listen on 127.0.0.1:${port}: the port is taken`);
  });

  test("a runtime that is not installed", async () => {
    const ghost = { name: "Ghost", binary: "hinoko-ghost", install: "npm install ghost" };
    const script = `
      import { main } from ${JSON.stringify(new URL("../src/cli.ts", import.meta.url).href)};
      await main({ key: "host", commands: { ghost: ${JSON.stringify(ghost)} } }, ["--runtime", "ghost"]);
    `;
    const line = 'Ghost is not installed here: install it with "npm install ghost"';
    assertRefused(await runScript(script), line);
  });
});

function assertRefused(outcome: Awaited<ReturnType<typeof runCommand>>, line: string | RegExp): void {
  const [said = "", ...rest] = outcome.stderr.split("\n");
  if (typeof line === "string") assert.equal(said, line);
  else assert.match(said, line);
  assert.deepEqual({ ...outcome, stderr: rest }, { status: 2, stdout: "", stderr: [""] });
}

for (const [where, text] of [
  ["function", 'export default () => {\n  throw new TypeError("too hot");\n};'],
  ["file", 'throw new TypeError("too hot");'],
]) {
  test(`an exception in the app's ${where} shows its stack, and the status is 1`, () =>
    withFiles({ "app.mjs": text ?? "" }, async (folder) => {
      const { status, stdout, stderr } = await runCommand(["127.0.0.1:0", "--app", join(folder, "app.mjs")]);
      assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
      assert.match(stderr, /too hot/);
      assert.match(stderr, /^ +at .*app\.mjs:\d+/m);
    }));
}
