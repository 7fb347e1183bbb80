/**
 * The command: hinoko runserver, its flags, its errors, its banner, and its end.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { commands } from "../runtimes/commands.ts";
import { SETTINGS } from "../src/settings.ts";
import { banner, freePort } from "./support/banner.ts";
import { connect, exchange, next } from "./support/clients.ts";
import { POLLING } from "./support/engine-client.ts";
import { runCommand, runScript, withCommand, withFiles } from "./support/process.ts";
import { runtime } from "./support/runtime.ts";

const RUNTIMES = ["node", "bun", "deno"] as const;
const OTHER = runtime === "bun" ? "deno" : "bun";

test("runserver serves the demo and prints its runtime, address, transports, adapter, hosts and origins", () =>
  withCommand(["runserver", "0"], {}, async (child) => {
    const { name, version, row, url, listening } = await banner(child);
    assert.deepEqual([name, version], [commands[runtime].name, process.versions[runtime]]);
    assert.match(url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    assert.equal(listening, "(listening on 0.0.0.0)");
    assert.equal(row("App"), "the demo: no --app, and no app.ts, app.js, src/app.ts, src/app.js here");
    assert.equal(row("Transports"), "polling, websocket");
    assert.equal(row("Adapter"), "memory");
    assert.equal(row("Hosts"), ".localhost, 127.0.0.1, [::1], 0.0.0.0");
    assert.equal(row("Origins"), "the service's own");
    const page = await fetch(url);
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
    assert.match(await page.text(), /^<!doctype html>/i);
    assert.equal(child.stderr, "");
  }));

describe("the address", { concurrency: 4 }, () => {
  const ADDRESSES: [args: string[], env: Record<string, string>, url: RegExp][] = [
    [["0"], {}, /^http:\/\/127\.0\.0\.1:\d+$/],
    [["runserver", "127.0.0.1:0"], {}, /^http:\/\/127\.0\.0\.1:\d+$/],
    [["localhost:0"], {}, /^http:\/\/localhost:\d+$/],
    [["[::1]:0"], {}, /^http:\/\/\[::1\]:\d+$/],
    [[], { HOST: "127.0.0.1", PORT: "0" }, /^http:\/\/127\.0\.0\.1:\d+$/],
    [["127.0.0.1:0"], { HOST: "192.0.2.1", PORT: "1" }, /^http:\/\/127\.0\.0\.1:\d+$/],
  ];
  for (const [args, env, expected] of ADDRESSES) {
    const given = [...Object.entries(env).map((entry) => entry.join("=")), "hinoko", ...args].join(" ");
    test(`is understood as in: ${given}`, () =>
      withCommand(args, { env }, async (child) => {
        const { url } = await banner(child);
        assert.match(url, expected);
        assert.equal((await fetch(url)).status, 200);
      }));
  }

  test("can be a port alone", async () => {
    const port = await freePort();
    await withCommand([String(port)], {}, async (child) =>
      assert.equal((await banner(child)).url, `http://127.0.0.1:${port}`),
    );
  });
});

const APP = `
  await null;
  app.get("/hello", (c) => c.text("hello"));
  io.on("connection", (socket) => socket.on("shout", (text, ack) => ack(text.toUpperCase())));
`;
const APPS = {
  "package.json": '{ "type": "module" }',
  "app.mjs": `export default async ({ app, io }) => {${APP}};`,
  "app.js": `export default async function ({ app, io }) {${APP}}`,
  "app.ts": `interface Service { app: any; io: any }
    export default async ({ app, io }: Service): Promise<void> => {${APP.replaceAll("(c)", "(c: any)")}};`,
};

for (const file of ["app.mjs", "app.js", "app.ts"]) {
  test(`--app ${file} serves the routes and the Socket.IO events of its default export, and no demo`, () =>
    withFiles(APPS, (folder) =>
      withCommand(["127.0.0.1:0", "--app", join(folder, file)], {}, async (child) => {
        const { url } = await banner(child);
        assert.equal(await (await fetch(`${url}/hello`)).text(), "hello");
        const client = await connect(url);
        assert.equal(await client.emitWithAck("shout", "hinoko"), "HINOKO");
        client.disconnect();
      }),
    ));
}

for (const file of ["app.ts", "app.js", "src/app.ts", "src/app.js"]) {
  test(`without --app the command takes ${file} of the current folder`, () =>
    withFiles(
      { "package.json": APPS["package.json"], [file]: file.endsWith("js") ? APPS["app.js"] : APPS["app.ts"] },
      (cwd) =>
        withCommand(["127.0.0.1:0"], { cwd }, async (child) => {
          const { url, row } = await banner(child);
          assert.equal(row("App"), file);
          assert.equal(await (await fetch(`${url}/hello`)).text(), "hello");
          assert.equal((await fetch(url)).status, 404);
        }),
    ));
}

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

test("an app's file is found from the current folder", () =>
  withFiles(APPS, (cwd) =>
    withCommand(["--app", "app.mjs", "127.0.0.1:0"], { cwd }, async (child) => {
      const { url } = await banner(child);
      assert.equal(await (await fetch(`${url}/hello`)).text(), "hello");
    }),
  ));

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

test("--help lists every setting with its default", async () => {
  const { status, stdout, stderr } = await runCommand(["--help"]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const lines = stdout.split("\n");
  for (const { variable, about, fallback } of Object.values(SETTINGS)) {
    const line = lines.find((line) => line.startsWith(`  ${variable} `));
    assert.equal(line?.slice(2 + variable.length).trim(), `${about} (default: ${fallback})`);
  }
  for (const flag of ["--app", "--runtime", "--reload"])
    assert.match(stdout, new RegExp(`^ {2}${flag} `, "m"));
  assert.deepEqual(await runCommand(["-h"]), { status, stdout, stderr });
});

test("--version tells Hinoko's version, which npm and JSR have of it too", async () => {
  const { default: manifest } = await import("../package.json", { with: { type: "json" } });
  const { default: config } = await import("../deno.json", { with: { type: "json" } });
  assert.equal(config.version, manifest.version);
  for (const flag of ["--version", "-v"]) {
    const expected = { status: 0, stdout: `hinoko ${manifest.version}\n`, stderr: "" };
    assert.deepEqual(await runCommand([flag]), expected);
  }
});

for (const target of RUNTIMES) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`--runtime ${target} serves under ${commands[target].name}, and ${signal} ends it gracefully`, () =>
      withCommand(["runserver", "--runtime", target, "127.0.0.1:0"], {}, async (child) => {
        const { name, url } = await banner(child);
        assert.equal(name, commands[target].name);
        const clients = [
          await connect(url, { transports: ["polling"] }),
          await connect(url, { transports: ["websocket"] }),
        ];
        const reasons = Promise.all(clients.map(async (client) => (await next(client, "disconnect"))[0]));
        child.signal(signal);
        assert.deepEqual(await reasons, ["transport close", "transport close"]);
        // Not before the runtime that was started has ended, too.
        assert.equal((await child.ended()).status, 0);
        const server = createServer().listen(Number(new URL(url).port), "127.0.0.1");
        await once(server, "listening");
        server.close();
      }));
  }
}

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

for (const flag of [["--runtime", OTHER], [`--runtime=${OTHER}`]]) {
  test(`${flag.join(" ")} starts the program next to the app, passes the other arguments on, and ends as it does`, () => {
    const program = `node_modules/.bin/${OTHER}`;
    return withFiles({ [program]: '#!/bin/sh\necho "$@"\nexit 7\n' }, async (cwd) => {
      await chmod(join(cwd, program), 0o755);
      const outcome = await runCommand(["runserver", ...flag, "127.0.0.1:0", "--app", "app.mjs"], { cwd });
      const started = [...commands[OTHER].args(false), "127.0.0.1:0", "--app", "app.mjs"];
      assert.deepEqual(outcome, { status: 7, stdout: `${started.join(" ")}\n`, stderr: "" });
    });
  });
}

for (const [only, other] of [
  ["polling", "websocket"],
  ["websocket", "polling"],
] as const) {
  test(`TRANSPORTS=${only} serves ${only} only`, () =>
    withCommand(["127.0.0.1:0"], { env: { TRANSPORTS: only } }, async (child) => {
      const { url, row } = await banner(child);
      assert.equal(row("Transports"), only);
      await assert.rejects(connect(url, { transports: [other] }));
      const client = await connect(url, { transports: [only] });
      client.disconnect();
      const answer = await (await fetch(url + POLLING)).text();
      if (only === "polling") assert.deepEqual(JSON.parse(answer.slice(1)).upgrades, []);
      else assert.deepEqual(JSON.parse(answer), { code: 0, message: "Transport unknown" });
    }));
}

test("ALLOWED_HOSTS says which hosts are served", () =>
  withCommand(["127.0.0.1:0"], { env: { ALLOWED_HOSTS: "example.org .example.com" } }, async (child) => {
    const { url, row } = await banner(child);
    assert.equal(row("Hosts"), "example.org, .example.com");
    const status = async (host: string) =>
      (await exchange(Number(new URL(url).port), `GET / HTTP/1.1\nHost: ${host}\nConnection: close\n\n`))
        .split(" ", 2)
        .at(1);
    assert.equal(await status("example.org"), "200");
    assert.equal(await status("www.example.com"), "200");
    assert.equal(await status("127.0.0.1"), "400");
  }));

test("in production without ALLOWED_HOSTS every request is refused, and the banner says so", () =>
  withCommand(["127.0.0.1:0"], { env: { NODE_ENV: "production" } }, async (child) => {
    const { url, row } = await banner(child);
    assert.equal(row("Hosts"), "none: set ALLOWED_HOSTS, or every request is refused");
    assert.equal((await fetch(url)).status, 400);
    assert.equal((await fetch(url + POLLING)).status, 400);
    await assert.rejects(connect(url, { transports: ["websocket"] }));
  }));
