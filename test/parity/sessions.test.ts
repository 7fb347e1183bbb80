/**
 * How Engine.IO opens sessions and verifies requests. The reference is engine.io on Node.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { handshake } from "../support/clients.ts";
import { FrameClient, nextSession, POLLING, PollingClient, WEBSOCKET } from "../support/engine-client.ts";
import { withService } from "../support/service.ts";

test("a session opens with the fields of Engine.IO 4 and no others, over each transport", () =>
  withService({}, async ({ url }) => {
    const fields = { pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 };
    const { open, response } = await PollingClient.connect(url);
    assert.deepEqual(open, { sid: open.sid, upgrades: ["websocket"], ...fields });
    assert.match(open.sid, /^[\w-]{20}$/);
    assert.equal(response.headers.get("content-type"), "text/plain; charset=UTF-8");
    assert.equal(response.headers.get("cache-control"), "no-store");

    const socket = await FrameClient.connect(url);
    const pushed = await socket.open();
    assert.deepEqual(pushed, { sid: pushed.sid, upgrades: [], ...fields });
    assert.notEqual(pushed.sid, open.sid);
    socket.socket.close();
  }));

test("a session has its request, protocol, transport and address", () =>
  withService({}, async ({ url, service }) => {
    for (const transport of ["polling", "websocket"]) {
      const opened = nextSession(service.io.engine);
      const path = `/socket.io/?EIO=4&transport=${transport}&token=%E7%81%AB&token=b`;
      const headers = { "X-Name": "ann" };
      const { socket } =
        transport === "polling"
          ? await fetch(url + path, { headers }).then(async (response) => {
              await response.text();
              return { socket: undefined };
            })
          : await handshake(url.replace(/^http/, "ws") + path, headers);
      const session = await opened;
      assert.equal(session.transport.name, transport);
      assert.equal(session.protocol, 4);
      assert.equal(session.readyState, "open");
      assert.equal(session.remoteAddress, "127.0.0.1");
      const { request } = session;
      assert.equal(request.method, "GET");
      assert.equal(request.url, path);
      assert.equal(request.headers["x-name"], "ann");
      assert.deepEqual({ ...request._query }, { EIO: "4", transport, token: "b" });
      assert.ok(!request.connection.encrypted);
      socket?.close();
    }
  }));

const REFUSED: { title: string; path: string; init?: RequestInit; code: number; context?: object }[] = [
  { title: "no transport", path: "/socket.io/?EIO=4", code: 0 },
  {
    title: "an unknown transport",
    path: "/socket.io/?EIO=4&transport=tobi",
    code: 0,
    context: { transport: "tobi" },
  },
  {
    title: "a transport named like a method of all objects",
    path: "/socket.io/?EIO=4&transport=constructor",
    code: 0,
  },
  {
    title: "an unknown session",
    path: `${POLLING}&sid=nobody`,
    code: 1,
    context: { sid: "nobody" },
  },
  { title: "a session named like a property of all objects", path: `${POLLING}&sid=__proto__`, code: 1 },
  {
    title: "a session opened by POST",
    path: POLLING,
    init: { method: "POST", body: "40" },
    code: 2,
    context: { method: "POST" },
  },
  {
    title: "a session opened by OPTIONS",
    path: POLLING,
    init: { method: "OPTIONS" },
    code: 2,
    context: { method: "OPTIONS" },
  },
  {
    title: "the WebSocket transport without a handshake",
    path: WEBSOCKET,
    code: 3,
    context: { name: "TRANSPORT_HANDSHAKE_ERROR" },
  },
  {
    title: "another version of the protocol",
    path: "/socket.io/?EIO=3&transport=polling",
    code: 5,
    context: { protocol: 3 },
  },
  { title: "no version of the protocol", path: "/socket.io/?transport=polling", code: 5 },
];

const MESSAGES = [
  "Transport unknown",
  "Session ID unknown",
  "Bad handshake method",
  "Bad request",
  "Forbidden",
  "Unsupported protocol version",
];

for (const { title, path, init = {}, code, context } of REFUSED) {
  test(`${title} is refused with code ${code}, and connection_error tells why`, () =>
    withService({}, async ({ url, service }) => {
      const errors: { code: number; message: string; context: object; req: { url: string } }[] = [];
      service.io.engine.on("connection_error", (error) => errors.push(error));
      const response = await fetch(url + path, init);
      assert.equal(response.status, 400);
      assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
      assert.equal(await response.text(), JSON.stringify({ code, message: MESSAGES[code] }));
      assert.equal(errors.length, 1);
      assert.equal(errors[0]?.code, code);
      assert.equal(errors[0]?.message, MESSAGES[code]);
      assert.equal(errors[0]?.req.url, path);
      if (context) assert.deepEqual(errors[0]?.context, context);
    }));
}

test("a request with another transport or protocol than its session has is refused with code 3", () =>
  withService({}, async ({ url, service }) => {
    const contexts: object[] = [];
    service.io.engine.on("connection_error", ({ context }) => contexts.push(context));
    const socket = await FrameClient.connect(url);
    const { sid } = await socket.open();
    const mismatch = await fetch(`${url}${POLLING}&sid=${sid}`);
    assert.deepEqual([mismatch.status, await mismatch.json()], [400, { code: 3, message: "Bad request" }]);
    const { open } = await PollingClient.connect(url);
    const older = await fetch(`${url}/socket.io/?EIO=3&transport=polling&sid=${open.sid}`);
    assert.deepEqual([older.status, await older.json()], [400, { code: 3, message: "Bad request" }]);
    assert.deepEqual(contexts, [
      { name: "TRANSPORT_MISMATCH", transport: "polling", previousTransport: "websocket" },
      { name: "PROTOCOL_MISMATCH", protocol: 3, previousProtocol: 4 },
    ]);
    socket.socket.close();
  }));

test("a refused WebSocket handshake gets the message as plain text", () =>
  withService({}, async ({ ws, service }) => {
    const codes: number[] = [];
    service.io.engine.on("connection_error", ({ code }) => codes.push(code));
    for (const path of ["/socket.io/?EIO=4&transport=tobi", `${WEBSOCKET}&sid=nobody`]) {
      const { status, body } = await handshake(ws + path);
      assert.deepEqual([status, body], [400, path.includes("tobi") ? MESSAGES[0] : MESSAGES[1]]);
    }
    assert.deepEqual(codes, [0, 1]);
  }));
