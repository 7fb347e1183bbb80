/**
 * An author's app as one file, away from node_modules: bundled by esbuild, or compiled by Bun into a program.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "./support/clients.ts";
import { TEST_FOLDER, withFiles, withProcess } from "./support/process.ts";
import { launcher, runtime } from "./support/runtime.ts";

const PROJECT = join(TEST_FOLDER, "..");
const modulePath = (file: string) => JSON.stringify(fileURLToPath(new URL(`../${file}`, import.meta.url)));

/** The app. It has no top-level `await`, because CommonJS has none. */
const APP = `
  import { createService, variablesOf } from ${modulePath("src/index.ts")};
  import { serve } from ${modulePath(`runtimes/${runtime}.ts`)};

  const service = createService({ host: "127.0.0.1", port: 0 });
  service.app.use("/socket.io/*", (c, next) => {
    c.set("user", "ann");
    return next();
  });
  service.app.get("/hello", (c) => c.text("hello"));
  service.io.on("connection", (socket) => {
    socket.on("echo", (value, ack) => ack([value, variablesOf(socket).user]));
  });
  serve(service).then(({ url }) => console.log("Address", url));
`;

/** A way to make one file of the app and to start it. */
interface Build {
  /** The name of the file that is built. */
  readonly output: string;
  readonly program: string;
  args(app: string, output: string): string[];
  start(output: string): { program: string; args: string[] };
}

/** How each runtime runs a JavaScript file. Without its flag, Bun would download a missing package from npm. */
const FLAGS = { node: [], bun: ["--no-install"], deno: launcher.args.slice(0, -1) };
const runFile = (file: string) => ({ program: launcher.program, args: [...FLAGS[runtime], file] });

const esbuild = (output: string, format: "esm" | "cjs", banner?: string): Build => ({
  output,
  program: join(PROJECT, "node_modules/.bin/esbuild"),
  args: (app, file) => [
    app,
    "--bundle",
    "--platform=node",
    `--format=${format}`,
    `--outfile=${file}`,
    "--log-level=error",
    ...(banner === undefined ? [] : [`--banner:js=${banner}`]),
  ],
  start: runFile,
});

/** Builds the app into an empty folder, starts it there, and checks that everything works but the client for browsers. */
const prove = (build: Build) =>
  withFiles({ "source/app.ts": APP, "alone/.keep": "" }, async (folder) => {
    const alone = join(folder, "alone");
    const output = join(alone, build.output);
    const args = build.args(join(folder, "source/app.ts"), output);
    const built = await withProcess(build.program, args, { cwd: PROJECT }, (child) => child.ended());
    assert.equal(built.status, 0, built.stdout + built.stderr);

    const { program, args: startArgs } = build.start(output);
    await withProcess(program, startArgs, { cwd: alone }, async (child) => {
      const [, url = ""] = await child.wrote(/^Address (\S+)$/m);
      await proveHttp(url);
      await proveSocketIo(url, ["polling"]);
      await proveSocketIo(url, ["websocket"]);
      await proveSocketIo(url, ["polling", "websocket"]);
      await proveClientIsMissing(url);
      child.signal("SIGTERM");
      const { stdout, stderr } = await child.ended();
      // Nothing else is printed: the launcher in the file must not run Hinoko's command.
      assert.equal(stdout, `Address ${url}\n`);
      assert.match(stderr, /^The Socket\.IO client is not served, because package socket\.io [^\n]+\n$/);
    });
  });

async function proveHttp(url: string): Promise<void> {
  assert.equal(await (await fetch(`${url}/hello`)).text(), "hello");
  for (const path of ["/", "/hinoko/chat.css", "/hinoko/chat.js", "/hinoko/view.js"]) {
    const response = await fetch(url + path);
    assert.deepEqual([response.status, (await response.text()).length > 500], [200, true], path);
  }
}

async function proveSocketIo(url: string, transports: string[]): Promise<void> {
  const socket = await connect(url, { transports });
  try {
    const { engine } = socket.io;
    if (engine.transport.name !== transports.at(-1)) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("The client was not upgraded")), 10_000);
        engine.once("upgrade", () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    const answer: unknown = await socket.timeout(10_000).emitWithAck("echo", "火の粉");
    assert.deepEqual(answer, ["火の粉", "ann"], transports.join());
    assert.equal(engine.transport.name, transports.at(-1));
  } finally {
    socket.disconnect();
  }
}

async function proveClientIsMissing(url: string): Promise<void> {
  for (const file of ["socket.io.js", "socket.io.min.js"]) {
    const response = await fetch(`${url}/socket.io/${file}`);
    assert.deepEqual(
      [response.status, await response.text()],
      [404, "The Socket.IO client is not served here"],
    );
  }
}

/** The banner that an ES module needs: Socket.IO is CommonJS, and calls `require("http")`. */
const BANNER = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

test("an esbuild bundle as an ES module, with the usual banner, needs nothing beside it", () =>
  prove(esbuild("app.mjs", "esm", BANNER)));

test("an esbuild bundle as CommonJS needs nothing beside it", () => prove(esbuild("app.cjs", "cjs")));

if (runtime === "bun") {
  // Bun gives every ES module a `require`, so that no banner is needed.
  test("an esbuild bundle as an ES module, without a banner, needs nothing beside it", () =>
    prove(esbuild("app.mjs", "esm")));

  test("a program that bun build --compile makes needs nothing beside it", () =>
    prove({
      output: "app",
      program: launcher.program,
      args: (app, output) => ["build", "--compile", app, "--outfile", output],
      start: (output) => ({ program: output, args: [] }),
    }));
}
