/**
 * The package: what npm packs is all that an author needs, installed in an empty folder.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import type * as packaged from "../runtimes/commands.ts";
import { commands } from "../runtimes/commands.ts";
import { TEST_FOLDER, withProcess } from "./support/process.ts";
import { launcher, runtime } from "./support/runtime.ts";

const PROJECT = join(TEST_FOLDER, "..");

const SCRIPT = `
  import { createService } from "hinoko";
  import { defineEvents } from "hinoko/events";
  import { serve, serveStatic } from "hinoko/serve";
  import { serve as serveHere } from "hinoko/${runtime}";

  if (serve !== serveHere) throw new Error("hinoko/serve is for another runtime");
  const service = createService({ events: defineEvents({}), host: "127.0.0.1", port: 0 });
  service.app.get("/hello", (c) => c.text("hello"));
  service.app.get("/main.js", serveStatic({ root: "." }));
  const { url, close } = await serve(service);
  for (const path of ["/hello", "/main.js", "/", "/hinoko/chat.css", "/hinoko/chat.js", "/socket.io/socket.io.js"]) {
    const response = await fetch(url + path);
    console.log(path, response.status, (await response.text()).length > 0);
  }
  await close();
`;

const APP = `
  export default ({ app }) => {
    app.get("/hello", (c) => c.text("hello"));
  };
`;

/** What the types must let pass, and what they must not. */
const TYPED = `
  import { createService, defineEvents, getConnInfo, type Listening, ListenError, type Service, variablesOf } from "hinoko";
  import { serve as serveOnBun } from "hinoko/bun";
  import { serve as serveOnDeno } from "hinoko/deno";
  import { serve as serveOnNode } from "hinoko/node";
  import { serve as serveHere, serveStatic } from "hinoko/serve";

  interface Events {
    news: (text: string) => void;
  }
  declare module "hono" {
    interface ContextVariableMap {
      user: { name: string };
    }
  }

  const service = createService<Events>({ allowedHosts: ["example.org"], socketio: { pingInterval: 1000 } });
  service.app.get("/who", (c) => c.text(getConnInfo(c).remote.address ?? "nobody"));
  service.app.get("/files/*", serveStatic({ root: "./public" }));
  service.app.post("/news", async (c) => c.json(c.var.io.emit("news", await c.req.text())));
  service.io.on("connection", (socket) => {
    socket.on("news", (text) => socket.broadcast.emit("news", text.toUpperCase()));
    const name: string = variablesOf(socket).user.name;
    // @ts-expect-error: nothing puts such a variable there
    socket.emit("news", variablesOf(socket).weather);
    socket.emit("news", name);
    // @ts-expect-error: there is no such event
    socket.emit("weather");
  });
  const text = { "~standard": { version: 1, vendor: "mine", validate: (value: unknown) => ({ value: String(value) }) } } as const;
  const contracted = createService({ events: defineEvents({ server: { news: text } }) });
  contracted.io.emit("news", "text");
  // @ts-expect-error: there is no such event
  contracted.io.emit("weather", "text");
  void serveOnNode(contracted);
  // @ts-expect-error: there is no such option
  createService({ allowedHost: ["example.org"] });

  export const listening: Promise<Listening>[] = [serveOnNode, serveOnBun, serveOnDeno, serveHere].map((serve) =>
    serve(service, { port: 0, signals: true, signal: AbortSignal.timeout(1000) }),
  );
  // @ts-expect-error: a port is a number
  void serveOnNode(service, { port: "8000" });
  export const reasonOf = (error: ListenError): string => error.message;
  export default ({ app }: Service): void => {
    app.get("/", (c) => c.text("here"));
  };
`;

/** A test of an author's, in TypeScript. */
const TESTING = `
  import { createService } from "hinoko";
  import { ConnectError, type TestClient, testService } from "hinoko/testing";

  interface ClientEvents {
    add: (a: number, b: number, done: (sum: number) => void) => void;
  }
  interface ServerEvents {
    sum: (sum: number) => void;
  }
  const service = createService<ClientEvents, ServerEvents>({ chat: false });
  service.app.get("/hello", (c) => c.text("hello"));
  service.io.on("connection", (socket) => {
    socket.on("add", (a, b, done) => {
      socket.emit("sum", a + b);
      done(a + b);
    });
  });
  await using t = await testService(service);
  const client: TestClient<ServerEvents, ClientEvents> = await t.connect("/", { cookies: { session: "abc" } });
  const acknowledged: number = await client.emitWithAck("add", 1, 2);
  const sum: number = await client.next("sum");
  await client.nothing("sum");
  // @ts-expect-error: the client sends no such event
  client.emit("sum", 3);
  const refused = await t.connect("/nowhere").catch((error: unknown) => error instanceof ConnectError);
  console.log(await (await t.request("/hello")).text(), acknowledged, sum, refused);
`;

const CONFIG = {
  compilerOptions: { module: "nodenext", target: "es2023", strict: true, noEmit: true, types: [] },
  include: ["typed.ts"],
};

/** `--runtime` finds a runtime on PATH, as it is with an author who has not installed it with npm. */
const PATH = [join(PROJECT, "node_modules/.bin"), process.env["PATH"]].join(delimiter);

let folder = "";
let tarball = "";

/** Runs a program in the empty folder to its end, and tells what it wrote to stdout. */
async function run(program: string, args: string[], cwd = folder): Promise<string> {
  const { status, stdout, stderr } = await withProcess(program, args, { cwd }, (child) => child.ended());
  assert.equal(status, 0, `${program} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), ".tmp-hinoko-"));
  const packed = await run("npm", ["pack", "--pack-destination", folder], PROJECT);
  tarball = packed.trim().split("\n").at(-1) ?? "";
  const files = {
    "package.json": '{ "type": "module" }',
    "main.js": SCRIPT,
    "required.cjs": `
      const { createService } = require("hinoko");
      const { serve } = require("hinoko/${runtime}");
      console.log(typeof createService, typeof serve);
    `,
    "app.mjs": APP,
    "app.ts": `${APP.trim()} const unused: number = 1; void unused;`,
    "typed.ts": TYPED,
    "tsconfig.json": JSON.stringify(CONFIG),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`]);
});

after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

test("the tarball holds the build, the manifest, README and LICENSE, and nothing else", async () => {
  const files = (await run("tar", ["-tzf", tarball])).trim().split("\n");
  const isExpected = (file: string) =>
    /^package\/(?:package\.json|README\.md|LICENSE|dist\/(?:src|runtimes)\/.*\.(?:js|d\.ts))$/.test(file);
  assert.deepEqual(
    files.filter((file) => !isExpected(file)),
    [],
  );
  for (const file of ["package.json", "README.md", "LICENSE", "dist/src/index.js", "dist/src/index.d.ts"]) {
    assert.ok(files.includes(`package/${file}`), file);
  }
});

test(`an author's script imports hinoko, hinoko/serve and hinoko/${runtime}, serves, and ends`, async () => {
  // Started as the package's own commands say.
  const url = pathToFileURL(join(folder, "node_modules/hinoko/dist/runtimes/commands.js")).href;
  const { commands }: typeof packaged = await import(url);
  const args = [...commands[runtime].args(false).slice(0, -1), "main.js"];
  assert.deepEqual((await run(launcher.program, args)).trim().split("\n"), [
    "/hello 200 true",
    "/main.js 200 true",
    "/ 200 true",
    "/hinoko/chat.css 200 true",
    "/hinoko/chat.js 200 true",
    "/socket.io/socket.io.js 200 true",
  ]);
});

// Node.js 20 has no require() of ES modules.
if (runtime !== "node" || Number.parseInt(process.versions.node, 10) >= 22) {
  test(`an author's CommonJS requires hinoko and hinoko/${runtime}`, async () => {
    const args = [...launcher.args.slice(0, -1), "required.cjs"];
    assert.equal(await run(launcher.program, args), "function function\n");
  });
}

test(`npx hinoko runserver --app --runtime ${runtime} serves an author's app`, () =>
  withProcess(
    "npx",
    ["--no-install", "hinoko", "runserver", "127.0.0.1:0", "--app", "app.mjs", "--runtime", runtime],
    { cwd: folder, env: { PATH } },
    async (child) => {
      const [, url = ""] = await child.wrote(/^ {2}Address +(\S+)/m);
      assert.equal(await (await fetch(`${url}/hello`)).text(), "hello");
    },
  ));

/** How a runtime starts the command without a word of Node's. */
const OWN_WAY = {
  node: ["node_modules/.bin/hinoko"],
  bun: ["--bun", "node_modules/.bin/hinoko"],
  deno: [
    "run",
    "--allow-net",
    "--allow-env",
    "--allow-read",
    "--node-modules-dir=manual",
    "npm:hinoko/hinoko",
  ],
};

test(`${[runtime, ...OWN_WAY[runtime]].join(" ")} serves under ${runtime} itself`, () =>
  withProcess(
    launcher.program,
    [...OWN_WAY[runtime], "127.0.0.1:0", "--app", "app.mjs"],
    { cwd: folder },
    async (child) => {
      const [, name] = await child.wrote(/^Hinoko \S+ on (\S+)/m);
      assert.equal(name, commands[runtime].name);
      const [, url = ""] = await child.wrote(/^ {2}Address +(\S+)/m);
      assert.equal(await (await fetch(`${url}/hello`)).text(), "hello");
    },
  ));

test("npx that gets SIGTERM takes the service with it", () =>
  withProcess(
    "npx",
    ["--no-install", "hinoko", "runserver", "127.0.0.1:0", "--app", "app.mjs", "--runtime", runtime],
    { cwd: folder, env: { PATH } },
    async (npx) => {
      await npx.wrote(/^ {2}Address +(\S+)/m);
      npx.signal("SIGTERM");
      await npx.ended(); // with all that it has started
    },
  ));

if (runtime === "node") {
  const runsTypeScript = "typescript" in process.features && process.features.typescript;
  test(`an app in TypeScript ${runsTypeScript ? "runs" : "has the remedy named"}`, () => {
    const args = ["node_modules/hinoko/dist/runtimes/hinoko.js", "127.0.0.1:0", "--app", "app.ts"];
    return withProcess(launcher.program, args, { cwd: folder }, async (child) => {
      if (runsTypeScript) {
        await child.wrote(/^ {2}Address +(\S+)/m);
      } else {
        const { status, stderr } = await child.ended();
        assert.equal(status, 2);
        assert.match(
          stderr,
          /^Cannot load the app app\.ts: Unknown file .* "-- --import tsx" to the command\n$/,
        );
      }
    });
  });
}

test("hinoko/testing tests an author's service, with socket.io-client beside it", async () => {
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "socket.io-client@4"]);
  await writeFile(join(folder, "testing.ts"), TESTING);
  const tsc = join(PROJECT, "node_modules/.bin/tsc");
  const config = { compilerOptions: { ...CONFIG.compilerOptions, noEmit: false }, include: ["testing.ts"] };
  await writeFile(join(folder, "tsconfig.testing.json"), JSON.stringify(config));
  assert.equal(await run(tsc, ["-p", "tsconfig.testing.json"]), "");
  const args = [...launcher.args.slice(0, -1), "testing.js"];
  assert.equal(await run(launcher.program, args), "hello 3 3 true\n");
});

test("an author's code in TypeScript is checked against the package's types", () =>
  run(join(PROJECT, "node_modules/.bin/tsc"), ["-p", "."]).then((stdout) => assert.equal(stdout, "")));
