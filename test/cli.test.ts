/**
 * The command: hinoko runserver, its flags, its banner, and its end.
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
import { runCommand, withCommand, withFiles } from "./support/process.ts";
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

describe("--app", { concurrency: 4 }, () => {
  for (const file of ["app.mjs", "app.js", "app.ts"]) {
    test(`${file} serves the routes and the Socket.IO events of its default export, and no demo`, () =>
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
});

test("an app's file is found from the current folder", () =>
  withFiles(APPS, (cwd) =>
    withCommand(["--app", "app.mjs", "127.0.0.1:0"], { cwd }, async (child) => {
      const { url } = await banner(child);
      assert.equal(await (await fetch(`${url}/hello`)).text(), "hello");
    }),
  ));

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

describe("--runtime", { concurrency: 4 }, () => {
  for (const target of RUNTIMES) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      test(`${target} serves under ${commands[target].name}, and ${signal} ends it gracefully`, () =>
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
});

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
