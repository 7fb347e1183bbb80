/**
 * What an author can configure for sessions: ids, allowRequest, cookies, engine middlewares, CORS, compression. The
 * reference is engine.io on Node.
 */
import assert from "node:assert/strict";
import { get, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { gunzipSync, inflateSync } from "node:zlib";
import { handshake } from "../support/clients.ts";
import { FrameClient, POLLING, PollingClient, SEPARATOR, WEBSOCKET } from "../support/engine-client.ts";
import { withService } from "../support/service.ts";

test("io.engine.generateId() makes the session ids, also with a promise; if it fails, the request is refused with code 3", () =>
  withService({}, async ({ url, service }) => {
    const { engine } = service.io;
    engine.generateId = () => "first";
    assert.equal((await PollingClient.connect(url)).open.sid, "first");
    engine.generateId = (request) =>
      new Promise((resolve) => setTimeout(() => resolve(`id of ${"url" in request}`), 5));
    const socket = await FrameClient.connect(url);
    assert.equal((await socket.open()).sid, "id of true");
    socket.socket.close();

    const contexts: object[] = [];
    engine.on("connection_error", ({ context }) => contexts.push(context));
    engine.generateId = () => Promise.reject(new Error("out of ids"));
    const refused = await fetch(url + POLLING);
    assert.deepEqual([refused.status, await refused.json()], [400, { code: 3, message: "Bad request" }]);
    assert.deepEqual(contexts, [{ name: "ID_GENERATION_ERROR", error: new Error("out of ids") }]);
  }));

test("allowRequest decides about each new session, once", () => {
  let asked = 0;
  return withService(
    {
      socketio: {
        allowRequest: (request, answer) => {
          asked++;
          const isAllowed = request.headers["x-token"] === "sesame";
          setTimeout(() => answer(isAllowed ? null : "who are you?", isAllowed), 5);
        },
      },
    },
    async ({ url, ws, service }) => {
      const errors: unknown[] = [];
      service.io.engine.on("connection_error", ({ code, context }) => errors.push([code, context]));
      const refused = await fetch(url + POLLING);
      assert.deepEqual([refused.status, await refused.json()], [403, { code: 4, message: "who are you?" }]);
      const shaken = await handshake(ws + WEBSOCKET);
      assert.deepEqual([shaken.status, shaken.body], [400, "who are you?"]);
      const error = [4, { message: "who are you?" }];
      assert.deepEqual(errors, [error, error]);

      asked = 0;
      const headers = { "x-token": "sesame" };
      const opened = await fetch(url + POLLING, { headers });
      const { sid } = JSON.parse((await opened.text()).slice(1));
      assert.equal((await fetch(`${url}${POLLING}&sid=${sid}`, { method: "POST", body: "40" })).status, 200);
      const { status, socket } = await handshake(ws + WEBSOCKET, headers);
      assert.equal(status, 101);
      socket?.close();
      assert.equal(asked, 2);
    },
  );
});

test("allowRequest may be async, and what it rejects with is the reason for the refusal", () =>
  withService(
    {
      socketio: {
        async allowRequest(request) {
          const token = request.headers["x-token"];
          if (token === undefined) throw "who are you?";
          return token === "sesame";
        },
      },
    },
    async ({ url }) => {
      const ask = async (headers: Record<string, string>) => {
        const response = await fetch(url + POLLING, { headers });
        return response.ok ? "opened" : { status: response.status, ...(await response.json()) };
      };
      assert.deepEqual(await ask({}), { status: 403, code: 4, message: "who are you?" });
      assert.deepEqual(await ask({ "x-token": "wrong" }), { status: 403, code: 4, message: "Forbidden" });
      assert.equal(await ask({ "x-token": "sesame" }), "opened");
    },
  ));

test("the cookie option sets a cookie with the session id on polling answers, beside the cookies of middleware", async () => {
  const first = async (cookie: object | boolean, hasOther = false) => {
    const cookies: string[] = [];
    await withService(
      { socketio: { cookie: typeof cookie === "boolean" ? cookie : { name: "io", ...cookie } } },
      ({ app }) => {
        if (hasOther) app.use((c, next) => (c.header("Set-Cookie", "other=1"), next()));
      },
      async ({ url }) => {
        const { response, open } = await PollingClient.connect(url);
        for (const one of response.headers.getSetCookie()) cookies.push(one.replace(open.sid, "SID"));
      },
    );
    return cookies;
  };
  assert.deepEqual(await first(true), ["io=SID; Path=/; HttpOnly; SameSite=Lax"]);
  assert.deepEqual(
    await first({
      name: "route",
      path: "/live",
      httpOnly: false,
      sameSite: "none",
      secure: true,
      maxAge: 60,
    }),
    ["route=SID; Max-Age=60; Path=/live; Secure; SameSite=None"],
  );
  assert.deepEqual((await first(true, true)).sort(), ["io=SID; Path=/; HttpOnly; SameSite=Lax", "other=1"]);
});

test("io.engine.use() middlewares run for each request, and the headers that they set are sent", () =>
  withService({}, async ({ url, ws, service }) => {
    const seen: unknown[] = [];
    service.io.engine.use(
      (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => {
        seen.push(request.method);
        response.setHeader("X-Frame-Options", "DENY");
        response.setHeader("Set-Cookie", ["a=1", "b=2"]);
        setTimeout(next, 1);
      },
    );
    const client = await PollingClient.connect(url);
    assert.equal(client.response.headers.get("x-frame-options"), "DENY");
    assert.deepEqual(client.response.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.equal((await client.post("40")).headers.get("x-frame-options"), "DENY");
    const { headers, socket } = await handshake(ws + WEBSOCKET);
    assert.equal(headers["x-frame-options"], "DENY");
    socket?.close();
    assert.deepEqual(seen, ["GET", "POST", "GET"]);
  }));

test("an io.engine.use() middleware can answer a request itself, or refuse it with an error", () =>
  withService({}, async ({ url, service }) => {
    const { engine } = service.io;
    const contexts: object[] = [];
    engine.on("connection_error", ({ context }) => contexts.push(context));
    engine.use((request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => {
      if (request.headers["x-case"] === "answers") {
        response.writeHead(503, { "Retry-After": "1" });
        response.end("later");
      } else {
        next(request.headers["x-case"] === "fails" ? new Error("no") : undefined);
      }
    });
    const get = (name: string) => fetch(url + POLLING, { headers: { "x-case": name } });
    const answered = await get("answers");
    assert.deepEqual(
      [answered.status, answered.headers.get("retry-after"), await answered.text()],
      [503, "1", "later"],
    );
    const failed = await get("fails");
    assert.deepEqual([failed.status, await failed.json()], [400, { code: 3, message: "Bad request" }]);
    assert.equal((await get("passes")).status, 200);
    assert.deepEqual(contexts, [{ name: "MIDDLEWARE_FAILURE" }]);
  }));

test("the cors option answers preflights and names the origin on every answer", () =>
  withService(
    {
      socketio: {
        cors: { origin: ["https://a.example", /\.b\.example$/], credentials: true, methods: ["GET", "POST"] },
      },
    },
    async ({ url, ws }) => {
      for (const origin of ["https://a.example", "https://x.b.example"]) {
        const preflight = await fetch(url + POLLING, {
          method: "OPTIONS",
          headers: {
            origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-a",
          },
        });
        assert.equal(preflight.status, 204);
        assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
        assert.equal(preflight.headers.get("access-control-allow-methods"), "GET,POST");
        assert.equal(preflight.headers.get("access-control-allow-headers"), "x-a");
        assert.equal(preflight.headers.get("access-control-allow-credentials"), "true");

        const polling = await fetch(url + POLLING, { headers: { origin } });
        assert.equal(polling.status, 200);
        assert.equal(polling.headers.get("access-control-allow-origin"), origin);
        assert.match(polling.headers.get("vary") ?? "", /origin/i);
        const refused = await fetch(`${url}${POLLING}&sid=x`, { headers: { origin } });
        assert.equal(refused.headers.get("access-control-allow-origin"), origin);

        const { status, headers, socket } = await handshake(ws + WEBSOCKET, { origin });
        assert.deepEqual([status, headers["access-control-allow-origin"]], [101, origin]);
        socket?.close();
      }
      const foreign = await fetch(url + POLLING, { headers: { origin: "https://evil.example" } });
      assert.equal(foreign.status, 400);
      assert.equal(foreign.headers.get("access-control-allow-origin"), null);
    },
  ));

test("initialPacket is the first message of each session", () =>
  withService({ socketio: { initialPacket: "hello" } }, async ({ url }) => {
    const polled = await (await fetch(url + POLLING)).text();
    assert.equal(polled.split(SEPARATOR)[1], "4hello");
    const socket = await FrameClient.connect(url);
    await socket.open();
    assert.equal(await socket.frame(), "4hello");
    socket.socket.close();
  }));

/** Gets a polling answer as it was sent. fetch() would decode it, with other encodings on each runtime. */
async function pollRaw(url: string, headers: Record<string, string>) {
  const response = await new Promise<IncomingMessage>((resolve) => get(url, { headers }, resolve));
  return { encoding: response.headers["content-encoding"], bytes: await buffer(response) };
}

const DECODERS: Record<string, (bytes: Buffer) => Buffer> = { gzip: gunzipSync, deflate: inflateSync };

const ENCODINGS: [accepted: string, expected: string | undefined][] = [
  ["gzip, deflate, br", "gzip"],
  ["deflate", "deflate"],
  ["gzip;q=0, deflate", "deflate"],
  ["br", undefined],
];
for (const [accepted, expected] of ENCODINGS) {
  test(`a large polling answer is sent as ${expected ?? "it is"} to a client that accepts ${accepted}`, () =>
    withService(
      {},
      ({ io }) => {
        io.on("connection", (socket) => socket.on("repeat", (size, answer) => answer("x".repeat(size))));
      },
      async ({ url }) => {
        const client = await (await PollingClient.connect(url)).join();
        for (const size of [100, 5000]) {
          await client.post(`420["repeat",${size}]`);
          const { encoding, bytes } = await pollRaw(client.url, { "accept-encoding": accepted });
          assert.equal(encoding, size < 1024 ? undefined : expected);
          const decode = DECODERS[encoding ?? ""] ?? ((bytes: Buffer) => bytes);
          assert.equal(decode(bytes).toString(), `430["${"x".repeat(size)}"]`);
        }
      },
    ));
}
