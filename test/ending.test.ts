/**
 * How long the command lives: when its output is closed, until it is told to end, once or twice, or until npm has gone.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { commands } from "../runtimes/commands.ts";
import { banner } from "./support/banner.ts";
import { connect, exchange, next } from "./support/clients.ts";
import { type Child, TEST_FOLDER, withCommand, withFiles, withProcess } from "./support/process.ts";
import { launcher, runtime } from "./support/runtime.ts";

const RUNTIMES = ["node", "bun", "deno"] as const;

const SLOW = `
  export default ({ app, io }) => {
    app.get("/slow", () => {
      io.emit("slow");
      return new Promise(() => {});
    });
  };
`;

/** Tells a process to end while a request is under way that is never answered, and waits until the end has begun. */
async function beginToEnd(child: Child, url: string, signal: NodeJS.Signals): Promise<void> {
  const client = await connect(url, { transports: ["websocket"] });
  const underWay = next(client, "slow");
  exchange(Number(new URL(url).port), "GET /slow HTTP/1.1\nHost: 127.0.0.1\n\n").catch(() => {});
  await underWay;
  const disconnected = next(client, "disconnect");
  child.signal(signal);
  assert.deepEqual((await disconnected)[0], "transport close");
}

describe("a second signal ends the command at once with status 1:", { concurrency: 4 }, () => {
  const SIGNALS: [asked: string[], first: NodeJS.Signals, second: NodeJS.Signals][] = [
    [[], "SIGTERM", "SIGTERM"],
    [[], "SIGINT", "SIGINT"],
    [["--runtime", "node"], "SIGTERM", "SIGTERM"],
    [["--runtime", "bun"], "SIGINT", "SIGTERM"],
    [["--runtime", "deno"], "SIGTERM", "SIGINT"],
  ];
  for (const [asked, first, second] of SIGNALS) {
    test(`${["hinoko", ...asked].join(" ")}, ${first} and ${second}`, () =>
      withFiles({ "app.mjs": SLOW }, (folder) =>
        withCommand(["127.0.0.1:0", "--app", join(folder, "app.mjs"), ...asked], {}, async (child) => {
          await beginToEnd(child, (await banner(child)).url, first);
          child.signal(second);
          assert.equal((await child.ended()).status, 1);
        }),
      ));
  }
});

const MISTAKES = {
  "an error in a timer": `setTimeout(() => { throw new Error("the author's mistake"); })`,
  "a rejection that nobody handles": `Promise.reject(new Error("the author's mistake"))`,
};

describe("the command logs, ends gracefully, and has status 1, after", { concurrency: 4 }, () => {
  for (const [what, mistake] of Object.entries(MISTAKES)) {
    test(what, () =>
      withFiles(
        {
          "app.mjs": `export default ({ app }) => app.get("/oops", (c) => { ${mistake}; return c.text("") });`,
        },
        (folder) =>
          withCommand(["127.0.0.1:0", "--app", join(folder, "app.mjs")], {}, async (child) => {
            const { url } = await banner(child);
            const client = await connect(url, { transports: ["polling"] });
            const disconnected = next(client, "disconnect");
            await fetch(`${url}/oops`).then((answer) => answer.text());
            assert.equal((await disconnected)[0], "transport close");
            const { status, stderr } = await child.ended();
            assert.equal(status, 1);
            assert.match(stderr, /^Uncaught error, the service ends:.*the author's mistake/m);
          }),
      ),
    );
  }
});

/** An author's program that serves until it is told to end. */
const PROGRAM = `
  import { createService } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
  import { serve } from ${JSON.stringify(new URL(`../runtimes/serve/${runtime}.ts`, import.meta.url).href)};
  const service = createService({ host: "127.0.0.1", port: 0, chat: false });
  (${SLOW.replace("export default", "").trim().replace(/;$/, "")})(service);
  setInterval(() => {}, 1000); // something of the author's that would keep the process
  const { url } = await serve(service, { signals: true });
  console.log(url);
`;

/** Runs a test with an author's program. */
const withProgram = (test: (child: Child, url: string) => Promise<void>) =>
  withFiles(
    { "main.mjs": PROGRAM },
    (folder) =>
      withProcess(
        launcher.program,
        [...launcher.args.slice(0, -1), join(folder, "main.mjs")],
        {},
        async (child) => test(child, (await child.wrote(/^http:\S+/))[0]),
      ),
    TEST_FOLDER,
  );

describe("serve() with signals: true", { concurrency: 4 }, () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`closes the service at ${signal}, and ends the process with status 0`, () =>
      withProgram(async (child, url) => {
        const client = await connect(url);
        const disconnected = next(client, "disconnect");
        child.signal(signal);
        assert.equal((await disconnected)[0], "transport close");
        assert.equal((await child.ended()).status, 0);
      }));
  }

  test("ends the process at once at the second signal, with status 1", () =>
    withProgram(async (child, url) => {
      await beginToEnd(child, url, "SIGTERM");
      child.signal("SIGTERM");
      assert.equal((await child.ended()).status, 1);
    }));
});

describe("npm start", { concurrency: 4 }, () => {
  const TOLD: [what: string, tell: (npm: Child) => void][] = [
    ["SIGTERM to npm alone", (npm) => npm.signal("SIGTERM")],
    ["Ctrl-C in a terminal", (npm) => npm.signalAll("SIGINT")],
  ];
  for (const [what, tell] of TOLD) {
    test(`ends the service gracefully at ${what}`, () =>
      withProcess(
        "npm",
        ["start", "--", "127.0.0.1:0", "--runtime", runtime],
        { cwd: join(TEST_FOLDER, "..") },
        async (npm) => {
          const { name, url } = await banner(npm);
          assert.equal(name, commands[runtime].name);
          const client = await connect(url);
          const disconnected = next(client, "disconnect");
          tell(npm);
          assert.equal((await disconnected)[0], "transport close");
          await npm.ended(); // with all that it has started
        },
      ));
  }
});

describe("a launcher that is killed", { concurrency: 4 }, () => {
  for (const target of RUNTIMES.filter((target) => target !== runtime)) {
    test(`takes the service that it started under ${commands[target].name} with it`, () =>
      withCommand(["127.0.0.1:0", "--runtime", target], {}, async (child) => {
        const client = await connect((await banner(child)).url);
        const disconnected = next(client, "disconnect");
        child.signal("SIGKILL");
        assert.equal((await disconnected)[0], "transport close");
        await child.ended();
      }));
  }
});

describe("a service whose output is closed goes on, and logs into the void:", { concurrency: 4 }, () => {
  const refuse = async (port: number) => {
    const answer = await exchange(port, "GET / HTTP/1.1\nHost: foreign.example\nConnection: close\n\n");
    assert.match(answer, /^HTTP\/1\.1 400 /);
  };

  test("the command", () =>
    withCommand(["127.0.0.1:0"], {}, async (child) => {
      const { url } = await banner(child);
      child.closeOutput();
      for (let count = 0; count < 3; count++) await refuse(Number(new URL(url).port));
      assert.equal((await fetch(url)).status, 200);
    }));

  test("an author's program that calls serve()", async () => {
    const script = `
      import { createService } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      import { serve } from ${JSON.stringify(new URL(`../runtimes/${runtime}.ts`, import.meta.url).href)};
      const { url } = await serve(createService({ host: "127.0.0.1", port: 0 }));
      console.log(url);
    `;
    await withFiles(
      { "main.mjs": script },
      (folder) =>
        withProcess(
          launcher.program,
          [...launcher.args.slice(0, -1), join(folder, "main.mjs")],
          {},
          async (child) => {
            const [url] = await child.wrote(/^http:\S+/);
            child.closeOutput();
            for (let count = 0; count < 3; count++) await refuse(Number(new URL(url).port));
            assert.equal((await fetch(url)).status, 200);
          },
        ),
      TEST_FOLDER,
    );
  });
});
