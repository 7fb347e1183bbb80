/**
 * close() ends what is still under way, whatever it is, and leaves nothing that keeps the process running.
 */
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { streamSSE } from "hono/streaming";
import { createService, type Service } from "../src/index.ts";
import { runScript } from "./support/process.ts";
import { runtime, serve } from "./support/runtime.ts";
import { QUIET } from "./support/service.ts";
import { inTime, until } from "./support/until.ts";

/** What a client has begun, and has not come to its end when the service is closed. */
interface Unfinished {
  readonly what: string;
  readonly bytes: string;
  /** Whether the client reads no further than the head. */
  readonly isSlow?: boolean;
  /** Deno cannot drop a connection on which something is being sent or received: it lasts until the process ends. */
  readonly outlastsOnDeno?: boolean;
}

const get = (path: string, fields = "") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`;
const HANDSHAKE =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const UNFINISHED: readonly Unfinished[] = [
  { what: "a route that does not answer", bytes: get("/pending") },
  { what: "a handshake that is not answered", bytes: get("/pending", HANDSHAKE) },
  { what: "server-sent events without an end", bytes: get("/events"), outlastsOnDeno: true },
  { what: "a stream without an end", bytes: get("/stream"), outlastsOnDeno: true },
  { what: "a download that nobody reads", bytes: get("/large"), isSlow: true, outlastsOnDeno: true },
  {
    what: "a POST without its end",
    bytes: "POST /post HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc",
    outlastsOnDeno: true,
  },
  { what: "a request without its end", bytes: "GET /pending HTTP/1.1\r\nHost: local" },
];

function addRoutes({ app }: Service, reached: (path: string) => void): void {
  app.use(async (c, next) => {
    reached(c.req.path);
    await next();
  });
  app.get("/pending", () => new Promise<Response>(() => {}));
  app.get("/events", (c) =>
    streamSSE(c, async (events) => {
      await events.writeSSE({ data: "first" });
      await new Promise(() => {});
    }),
  );
  app.get(
    "/stream",
    () => new Response(new ReadableStream({ start: (stream) => stream.enqueue(Uint8Array.of(1)) })),
  );
  app.get("/large", (c) => c.body(new ArrayBuffer(64_000_000)));
  app.post("/post", async (c) => c.text(await c.req.text()));
}

test("close() ends every kind of request that does not come to its end, within its grace", async () => {
  const service = createService(QUIET);
  let reached = 0;
  addRoutes(service, () => reached++);
  const listening = await serve(service);
  const connections = UNFINISHED.map(({ bytes, isSlow }) => {
    const connection = connectTcp(listening.port, "127.0.0.1");
    connection.on("error", () => {});
    connection.once("data", () => isSlow && connection.pause());
    connection.resume();
    connection.write(bytes);
    return connection;
  });
  try {
    await until("the requests", () => reached === UNFINISHED.length - 1);
    // Not by once() of node:events, which rejects for a connection that is reset: that is an end too.
    const ends = connections.map(
      (connection) => new Promise<void>((resolve) => connection.once("close", () => resolve())),
    );
    await inTime("close()", listening.close());
    for (const [index, end] of ends.entries()) {
      connections[index]?.resume();
      const { what, outlastsOnDeno } = UNFINISHED[index] ?? {};
      if (runtime !== "deno" || !outlastsOnDeno) await inTime(`the end of ${what}`, end);
    }
  } finally {
    for (const connection of connections) connection.destroy();
    await listening.close();
  }
});

const urlOf = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

/** What must not keep the process running once io.close() has resolved. */
const LEFT_BEHIND = {
  "an upgrade that is under way": `
    for (const isProbed of [false, true]) {
      const { open } = await PollingClient.connect(url);
      const client = await FrameClient.connect(url, open.sid);
      if (isProbed) await client.probe();
    }
  `,
  "a client that the server has disconnected between two polls": `
    await (await PollingClient.connect(url)).join();
    io.disconnectSockets(true);
  `,
  "a client whose last POST was a violation": `
    const client = await (await PollingClient.connect(url)).join();
    await client.post("2");
  `,
};

for (const [what, script] of Object.entries(LEFT_BEHIND)) {
  test(`io.close() leaves nothing that keeps the process running: ${what}`, async () => {
    const { status, stdout, stderr } = await runScript(`
      import { createService } from ${urlOf("../src/index.ts")};
      import { serve } from ${urlOf(`../runtimes/${runtime}.ts`)};
      import { FrameClient, PollingClient } from ${urlOf("support/engine-client.ts")};

      const { io, ...service } = createService({
        host: "127.0.0.1",
        port: 0,
        chat: false,
        engine: ${JSON.stringify(process.env["ENGINE"] ?? "fastest")},
        socketio: { upgradeTimeout: 60_000 },
      });
      const { url } = await serve({ io, ...service });
      ${script}
      await io.close();
      console.log("closed");
    `);
    assert.deepEqual([status, stdout, stderr], [0, "closed\n", ""]);
  });
}
