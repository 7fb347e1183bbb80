/**
 * One line in the log when Socket.IO cannot be reached: a route of the author's answers its requests, or `service.app`
 * is served without `serve()`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createService, type Service } from "../src/index.ts";
import { connect, handshake } from "./support/clients.ts";
import { POLLING, WEBSOCKET } from "./support/engine-client.ts";
import { QUIET, silent, withService } from "./support/service.ts";

const hears = () => {
  const warnings: string[] = [];
  return { warnings, logger: { ...silent, warn: (line: unknown) => void warnings.push(String(line)) } };
};

/** The line about a route that answers the requests of Socket.IO. */
const line = (route: string, status: number, path = "/socket.io") =>
  `Socket.IO cannot be reached at ${path}/: your route "${route}" answers its requests (status ${status}). ` +
  `Put app.all("${path}/*", service.sockets) before that route`;

const SWALLOWING: Record<string, [setup: (service: Service) => void, line: string]> = {
  'app.get("*")': [({ app }) => app.get("*", (c) => c.html("<p>page")), line("GET /*", 200)],
  'app.all("/*")': [({ app }) => app.all("/*", (c) => c.text("nothing here", 404)), line("ALL /*", 404)],
  "a parameter": [
    ({ app }) => app.get("/:page{.+}", async (c) => c.text("page")),
    line("GET /:page{.+}", 200),
  ],
  "a route behind middleware": [
    ({ app }) => {
      app.use(async (_, next) => next());
      app.get("*", (c) => c.text("page"));
    },
    line("GET /*", 200),
  ],
};

for (const [name, [setup, expected]] of Object.entries(SWALLOWING)) {
  for (const first of ["polling", "a handshake"]) {
    test(`one line names the route that answers the requests of Socket.IO: ${name}, ${first} first`, () => {
      const { warnings, logger } = hears();
      return withService({ logger }, setup, async ({ url, ws }) => {
        for (let turn = 0; turn < 3; turn++) {
          if (turn > 0 || first === "polling") await (await fetch(url + POLLING)).text();
          else await handshake(ws + WEBSOCKET);
        }
        assert.deepEqual(warnings, [expected]);
      });
    });
  }
}

test("the line names another path of Socket.IO", () => {
  const { warnings, logger } = hears();
  return withService(
    { logger, socketio: { path: "/live" } },
    ({ app }) => app.get("*", (c) => c.text("page")),
    async ({ url }) => {
      await (await fetch(url + POLLING)).text(); // a path of the author's then
      await (await fetch(`${url}/live/?EIO=4&transport=polling`)).text();
      assert.deepEqual(warnings, [line("GET /*", 200, "/live")]);
    },
  );
});

const INNOCENT: Record<string, (service: Service) => void> = {
  "no route": () => {},
  "middleware that calls next()": ({ app }) => app.use("*", async (_, next) => next()),
  "Socket.IO mounted before": ({ app, sockets }) => {
    app.all("/socket.io/*", sockets);
    app.get("*", (c) => c.text("page"));
  },
  "a route for other paths": ({ app }) => app.get("/page/*", (c) => c.text("page")),
};

for (const [name, setup] of Object.entries(INNOCENT)) {
  test(`nothing is logged when Socket.IO is reached: ${name}`, () => {
    const { warnings, logger } = hears();
    return withService({ logger }, setup, async ({ url }) => {
      await (await fetch(`${url}/socket.io/`)).text();
      await (await fetch(`${url}/page/?next=/socket.io/?EIO=4`)).text();
      for (const transports of [["polling"], ["websocket"]])
        (await connect(url, { transports })).disconnect();
      assert.deepEqual(warnings, []);
    });
  });
}

test("nothing is logged when middleware refuses or redirects a client", () => {
  const { warnings, logger } = hears();
  return withService(
    { logger },
    ({ app }) => {
      app.use("/socket.io/", async (c, next) => {
        const status = c.req.query("status");
        if (!status) return next();
        return status === "302" ? c.redirect("/login") : new Response("no", { status: Number(status) });
      });
    },
    async ({ url }) => {
      for (const status of [401, 403, 429, 503, 302]) {
        const answer = await fetch(`${url}${POLLING}&status=${status}`, { redirect: "manual" });
        assert.equal(answer.status, status);
        await answer.text();
      }
      (await connect(url)).disconnect();
      assert.deepEqual(warnings, []);
    },
  );
});

test("one line says that service.app is served without serve()", async () => {
  const expected =
    "Socket.IO cannot be reached at /socket.io/: service.app is served without serve(). " +
    'Use serve() from "hinoko/node", "hinoko/bun" or "hinoko/deno"';
  for (const isMounted of [false, true]) {
    const { warnings, logger } = hears();
    const { app, sockets } = createService({ ...QUIET, logger });
    if (isMounted) app.all("/socket.io/*", sockets);
    app.get("/", (c) => c.text("page"));
    assert.equal((await app.request("/")).status, 200);
    assert.deepEqual(warnings, []);
    for (let turn = 0; turn < 2; turn++)
      assert.equal((await app.request(POLLING)).status, isMounted ? 503 : 404);
    assert.deepEqual(warnings, [expected]);
  }
});
