/**
 * Socket.IO is a route of the Hono app: middleware runs for polling requests and for WebSocket handshakes.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setCookie } from "hono/cookie";
import { WebSocket } from "ws";
import { getConnInfo, upgradeWebSocket, variablesOf } from "../src/index.ts";
import { connect, handshake, next } from "./support/clients.ts";
import { POLLING, PollingClient, WEBSOCKET } from "./support/engine-client.ts";
import { withService } from "./support/service.ts";

declare module "hono" {
  interface ContextVariableMap {
    user: string;
  }
}

for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
  const over = transports.join(" upgraded to ");

  test(`a client talks to the server over ${over}`, () =>
    withService(
      {},
      ({ io }) => {
        io.on("connection", (socket) => {
          socket.on("echo", (value, ack) => ack(value));
        });
      },
      async ({ url }) => {
        const client = await connect(url, { transports });
        const value = { text: "火の粉", bytes: new Uint8Array([1, 2, 3]), nested: [null, true, 1.5] };
        const answer = await client.emitWithAck("echo", value);
        assert.deepEqual({ ...answer, bytes: new Uint8Array(answer.bytes) }, value);
        client.disconnect();
      },
    ));
}

test("a client upgrades from polling to WebSocket, and the server sees it", () =>
  withService({}, async ({ url, service }) => {
    const upgraded = new Promise<string>((resolve) => {
      service.io.engine.on("connection", (session) => {
        session.once("upgrade", (transport: { name: string }) => resolve(transport.name));
      });
    });
    const client = await connect(url);
    assert.equal(await upgraded, "websocket");
    client.disconnect();
  }));

describe("a middleware that refuses", () => {
  const refusing = (path: string) => {
    let entered = 0;
    return withService(
      {},
      ({ app, io }) => {
        app.use("/socket.io/*", (c, next) =>
          c.req.header("authorization") === "Bearer sesame"
            ? next()
            : Promise.resolve(c.json({ error: "who are you?" }, 401, { "WWW-Authenticate": "Bearer" })),
        );
        io.on("connection", () => entered++);
      },
      async ({ url, ws }) => {
        const answer =
          path === POLLING
            ? await fetch(url + path).then(async (response) => ({
                status: response.status,
                headers: Object.fromEntries(response.headers),
                body: await response.text(),
              }))
            : await handshake(ws + path);
        assert.equal(answer.status, 401);
        assert.equal(answer.headers["www-authenticate"], "Bearer");
        assert.deepEqual(JSON.parse(answer.body), { error: "who are you?" });
        assert.equal(entered, 0);
      },
    );
  };

  test("answers a polling request with its own status, headers and body", () => refusing(POLLING));
  test("answers a WebSocket handshake with its own status, headers and body", () => refusing(WEBSOCKET));

  test("lets in the clients that it accepts, over both transports", () =>
    withService(
      {},
      ({ app }) => {
        app.use("/socket.io/*", (c, next) =>
          c.req.header("authorization") === "Bearer sesame" ? next() : Promise.resolve(c.text("no", 401)),
        );
      },
      async ({ url }) => {
        const extraHeaders = { authorization: "Bearer sesame" };
        for (const transports of [["polling"], ["websocket"]]) {
          const client = await connect(url, { transports, extraHeaders });
          client.disconnect();
          await assert.rejects(connect(url, { transports }));
        }
      },
    ));

  test("can refuse a handshake after next() by throwing an error", () =>
    withService(
      {},
      ({ app }) => {
        app.use("/socket.io/*", async (_, next) => {
          await next();
          throw new Error("too late");
        });
        app.onError((_, c) => c.text("sorry", 503));
      },
      async ({ url, ws }) => {
        const polled = await fetch(url + POLLING);
        assert.deepEqual([polled.status, await polled.text()], [503, "sorry"]);
        const { status, body } = await handshake(ws + WEBSOCKET);
        assert.deepEqual({ status, body }, { status: 503, body: "sorry" });
      },
    ));
});

test("headers that middleware sets before and after next() are sent with polling answers and with the 101", () =>
  withService(
    {},
    ({ app }) => {
      app.use("/socket.io/*", async (c, next) => {
        c.header("X-Before", "1");
        setCookie(c, "first", "a");
        setCookie(c, "second", "b");
        await next();
        c.header("X-After", "2");
      });
    },
    async ({ url, ws }) => {
      const polling = await fetch(url + POLLING);
      assert.equal(polling.status, 200);
      assert.match(await polling.text(), /^0\{"sid":/);
      assert.equal(polling.headers.get("x-before"), "1");
      assert.equal(polling.headers.get("x-after"), "2");
      assert.deepEqual(polling.headers.getSetCookie(), ["first=a; Path=/", "second=b; Path=/"]);
      assert.equal(polling.headers.get("content-type"), "text/plain; charset=UTF-8");
      assert.equal(polling.headers.get("cache-control"), "no-store");

      const { status, headers, socket } = await handshake(ws + WEBSOCKET);
      assert.equal(status, 101);
      assert.equal(headers["x-before"], "1");
      assert.equal(headers["x-after"], "2");
      assert.deepEqual(headers["set-cookie"], ["first=a; Path=/", "second=b; Path=/"]);
      socket?.close();
    },
  ));

for (const transport of ["polling", "websocket"]) {
  test(`variablesOf(socket) returns what middleware put into c.var, over ${transport}`, () =>
    withService(
      {},
      ({ app, io }) => {
        app.use("/socket.io/*", (c, next) => {
          c.set("user", c.req.header("x-user") ?? "nobody");
          return next();
        });
        io.on("connection", (socket) => {
          socket.on("who am I", (ack) => {
            const variables = variablesOf(socket);
            ack(
              variables.user,
              "io" in variables,
              "var" in socket.request && socket.request.var === variables,
            );
          });
        });
      },
      async ({ url }) => {
        const client = await connect(url, { transports: [transport], extraHeaders: { "x-user": "ann" } });
        const [user, knowsIo, isProperty] = await new Promise<unknown[]>((resolve) =>
          client.emit("who am I", (...answer: unknown[]) => resolve(answer)),
        );
        assert.deepEqual([user, knowsIo, isProperty], ["ann", false, true]);
        client.disconnect();
      },
    ));
}

const SPENDING: [how: string, read: (request: Request) => Promise<unknown>][] = [
  ["text()", (request) => request.text()],
  ["arrayBuffer()", (request) => request.arrayBuffer()],
  ["body.getReader()", async (request) => request.body?.getReader().read()],
];
for (const [how, read] of SPENDING) {
  test(`a polling body that a middleware reads with c.req.raw.${how} is answered 500, and the log says what to do`, () => {
    const logged: unknown[] = [];
    const log = (message: unknown) => void logged.push(message);
    return withService(
      { logger: { info: log, warn: log, error: log } },
      ({ app }) => {
        app.use("/socket.io/*", async (c, next) => {
          if (c.req.method === "POST") await read(c.req.raw);
          await next();
        });
      },
      async ({ url }) => {
        const client = await PollingClient.connect(url);
        const answer = await client.post("40");
        assert.deepEqual([answer.status, await answer.text()], [500, "Internal Server Error"]);
        assert.equal(logged.length, 1);
        assert.match(String(logged[0]), /c\.req\.raw, .* Read it with c\.req\.text\(\)/);
      },
    );
  });
}

test("a middleware may read a polling body before Socket.IO does", () => {
  const read: string[] = [];
  return withService(
    {},
    ({ app, io }) => {
      app.use("/socket.io/*", async (c, next) => {
        if (c.req.method === "POST") read.push(await c.req.text());
        await next();
      });
      io.on("connection", (socket) => socket.on("echo", (value, ack) => ack(value)));
    },
    async ({ url }) => {
      const client = await connect(url, { transports: ["polling"] });
      assert.equal(await client.emitWithAck("echo", "読んだ"), "読んだ");
      assert.ok(read.some((body) => body.includes("読んだ")));
      client.disconnect();
    },
  );
});

test("a route can use the Socket.IO server as c.var.io", () =>
  withService(
    {},
    ({ app }) => {
      app.post("/announce", async (c) => {
        c.var.io.emit("news", await c.req.text());
        return c.body(null, 204);
      });
    },
    async ({ url }) => {
      const client = await connect(url);
      const news = next(client, "news");
      assert.equal((await fetch(`${url}/announce`, { method: "POST", body: "hot" })).status, 204);
      assert.deepEqual(await news, ["hot"]);
      client.disconnect();
    },
  ));

test("nothing but its exact path reaches Socket.IO, past a middleware for that path", () =>
  withService(
    {},
    ({ app }) => app.use("/socket.io/", async (c) => c.text("members only", 401)),
    async ({ url, ws }) => {
      for (const [path, status] of [
        ["/socket.io/", 401],
        ["/socket.io", 404],
        ["/socket.io/x", 404],
        ["/socket.io//", 404],
        ["/socket%2Eio/", 401],
      ] as const) {
        const query = "?EIO=4&transport=";
        assert.equal((await fetch(`${url}${path}${query}polling`)).status, status, path);
        assert.equal((await handshake(`${ws}${path}${query}websocket`)).status, status, path);
      }
    },
  ));

test("an author can mount Socket.IO before a route that matches every path", () =>
  withService(
    { socketio: { path: "/live" } },
    ({ app, sockets }) => {
      app.all("/live/*", sockets);
      app.all("*", (c) => c.text("everything else"));
    },
    async ({ url }) => {
      assert.equal(await (await fetch(`${url}/socket.io/`)).text(), "everything else");
      for (const transports of [["polling"], ["websocket"]]) {
        const client = await connect(url, { path: "/live", transports });
        client.disconnect();
      }
    },
  ));

test("an author's own WebSocket routes work beside Socket.IO", () =>
  withService(
    {},
    ({ app }) => {
      app.get(
        "/ws",
        upgradeWebSocket((c) => ({
          onOpen: (_, socket) => socket.send(`hello ${c.req.query("name")}`),
          onMessage: (event, socket) => socket.send(`echo ${String(event.data)}`),
        })),
      );
      app.get("/refused", (c) => c.text("not a WebSocket", 403));
    },
    async ({ ws }) => {
      const socket = new WebSocket(`${ws}/ws?name=ann`);
      const messages: string[] = [];
      const closed = new Promise<number>((resolve) => socket.on("close", resolve));
      socket.on("message", (data) => {
        messages.push(String(data));
        if (messages.length === 1) socket.send("x");
        else socket.close(4000);
      });
      assert.equal(await closed, 4000);
      assert.deepEqual(messages, ["hello ann", "echo x"]);

      const refused = await handshake(`${ws}/refused`);
      assert.deepEqual([refused.status, refused.body], [403, "not a WebSocket"]);
      const missing = await handshake(`${ws}/missing`);
      assert.equal(missing.status, 404);
    },
  ));

test("an author's WebSocket route can still read c.req while the WebSocket is open", () =>
  withService(
    {},
    ({ app }) => {
      app.get(
        "/ws",
        upgradeWebSocket((c) => ({
          onOpen: (_, socket) =>
            socket.send(`${c.req.header("x-user")} at ${getConnInfo(c).remote.address} ${c.req.query("q")}`),
        })),
      );
    },
    async ({ ws }) => {
      const { socket, greeting } = await handshake(`${ws}/ws?q=1`, { "X-User": "ann" });
      assert.equal(await greeting, "ann at 127.0.0.1 1");
      socket?.close();
    },
  ));

test("a message larger than maxHttpBufferSize closes the WebSocket of an author's route with code 1009", () =>
  withService(
    { socketio: { maxHttpBufferSize: 1000 } },
    ({ app }) => {
      app.get(
        "/ws",
        upgradeWebSocket(() => ({ onMessage: (event, socket) => socket.send(String(event.data)) })),
      );
    },
    async ({ ws }) => {
      const { socket, greeting } = await handshake(`${ws}/ws`);
      socket?.send("x".repeat(1000));
      assert.equal(await greeting, "x".repeat(1000));
      const closed = new Promise((resolve) => socket?.once("close", resolve));
      socket?.send("x".repeat(1001));
      assert.equal(await closed, 1009);
    },
  ));

for (const transport of ["polling", "websocket"]) {
  test(`socket.handshake tells what the client sent, over ${transport}`, () =>
    withService(
      {},
      ({ io }) => {
        io.on("connection", (socket) => {
          socket.on("handshake", (ack) =>
            ack({ ...socket.handshake, headers: socket.handshake.headers["x-mine"] }),
          );
        });
      },
      async ({ url }) => {
        const auth = { token: "sesame" };
        const extraHeaders = { "x-mine": "1" };
        const client = await connect(url, {
          transports: [transport],
          auth,
          extraHeaders,
          query: { room: "a b" },
        });
        const handshake = await client.emitWithAck("handshake");
        assert.deepEqual(handshake.auth, auth);
        assert.equal(handshake.headers, "1");
        assert.deepEqual([handshake.query.room, handshake.query.transport], ["a b", transport]);
        assert.match(handshake.url, /^\/socket\.io\/\?/);
        assert.deepEqual(
          [handshake.address, handshake.secure, handshake.xdomain],
          ["127.0.0.1", false, false],
        );
        assert.ok(Math.abs(Date.parse(handshake.time) - handshake.issued) <= 1000);
        client.disconnect();
      },
    ));
}
