/**
 * Clients that stop, or go on as slowly as they can, in the middle of a TLS handshake, of the headers of a request or of
 * its body: they are cut off. A client that is slow but goes on is not, and a poll may wait for longer than that.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readText } from "../src/engine/body.ts";
import { SilenceError, SilenceWatch } from "../src/engine/silence.ts";
import type { ServiceOptions } from "../src/index.ts";
import { beginPost, ending, openPolling, PollingClient, WEBSOCKET } from "./support/engine-client.ts";
import { runtime } from "./support/runtime.ts";
import { withService } from "./support/service.ts";
import { cert, key } from "./support/tls.ts";
import { inTime, until } from "./support/until.ts";

/** Bun has a limit of its own, and Deno none. */
const HEADERS: ServiceOptions = runtime === "node" ? { headersTimeout: 300 } : {};
const BODY: ServiceOptions = { bodyTimeout: 1000 };

const HOST = "Host: localhost\r\n";

/** Sends bytes, and then others again and again, until the server closes the connection. @returns its answer */
async function closing(socket: Socket, bytes: string | Uint8Array, drip = ""): Promise<string> {
  let answer = "";
  socket.on("data", (chunk) => {
    answer += String(chunk);
  });
  socket.on("error", () => {});
  socket.write(bytes);
  const timer = setInterval(() => drip && socket.write(drip), 50);
  await inTime(
    "the end of the connection",
    once(socket, "close").catch(() => {}),
  ).finally(() => {
    clearInterval(timer);
    socket.destroy();
  });
  return answer;
}

// Each of these two tests tries all of its clients at once, because Bun's own limit is 10 seconds or more.
if (runtime !== "deno") {
  test("clients that do not come to the end of their headers are cut off", () =>
    withService(HEADERS, async ({ port }) => {
      const heads: [bytes: string, drip?: string][] = [
        [""],
        [`GET / HTTP/1.1\r\n${HOST}`],
        [`GET / HTTP/1.1\r\n${HOST}X-Name: `, "x"],
        [`GET ${WEBSOCKET} HTTP/1.1\r\n${HOST}Upgrade: websocket\r\n`],
      ];
      const answers = heads.map(([bytes, drip]) => closing(connect(port, "127.0.0.1"), bytes, drip));
      for (const answer of await Promise.all(answers)) assert.match(answer, /^$|^HTTP\/1\.1 408 /);
    }));

  test("clients that do not come to the end of their TLS handshake are cut off", () =>
    withService({ ...HEADERS, tls: { key, cert } }, async ({ port }) => {
      const beginnings = [Uint8Array.of(), Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01)];
      const answers = beginnings.map((bytes) => closing(connect(port, "127.0.0.1"), bytes));
      assert.deepEqual(await Promise.all(answers), ["", ""]);
    }));
}

for (const [name, length, body] of [
  ["a body", "Content-Length: 100", "4half"],
  ["a large body", "Content-Length: 200000", `4${"x".repeat(100_000)}`],
  ["a body in chunks", "Transfer-Encoding: chunked", "5\r\n4half\r\n"],
] as const) {
  test(`a client that stops in the middle of ${name} gets a 408, and its session ends`, () =>
    withService(BODY, async ({ url, service: { io } }) => {
      const [client, session] = await openPolling(url, io.engine);
      const ended = ending(session);
      const socket = await beginPost(client, length, body);
      const [answer] = await inTime("an answer", once(socket, "data"));
      assert.match(String(answer), /^HTTP\/1\.1 408 /);
      const [reason, description] = await inTime("the end of the session", ended);
      assert.equal(reason, "transport error");
      assert.ok(description instanceof Error);
      assert.equal(description.message, "data request connection closed prematurely");
      socket.destroy();
    }));
}

test("nothing is kept of a body whose client has stopped, though it stays connected", async () => {
  let isLetGo = false;
  const body = new ReadableStream({
    start: (stream) => stream.enqueue(Uint8Array.of(0x34)),
    cancel: () => {
      isLetGo = true;
    },
  });
  const init: RequestInit & { duplex: "half" } = { method: "POST", body, duplex: "half" };
  const raw = new Request("http://localhost/", init);
  const read = readText({ raw, arrayBuffer: () => raw.arrayBuffer() }, 1000, new SilenceWatch(100));
  await assert.rejects(inTime("the end of the wait", read), SilenceError);
  await until("the end of the body", () => isLetGo);
});

test("a body that is slow, but goes on, is received", () =>
  withService(BODY, async ({ url, service: { io } }) => {
    const received = new Promise<string>((resolve) =>
      io.once("connection", (socket) => socket.once("text", resolve)),
    );
    const client = await (await PollingClient.connect(url)).join();
    const message = `42["text","${"x".repeat(70_000)}"]`;
    const socket = await beginPost(client, `Content-Length: ${message.length}`, message.slice(0, 69_900));
    for (const byte of message.slice(69_900, 69_950)) {
      socket.write(byte);
      await sleep(50);
    }
    socket.write(message.slice(69_950));
    assert.equal((await inTime("the message", received)).length, 70_000);
    socket.destroy();
  }));

test("a poll and an answer may take longer than headers and bodies", () =>
  withService(
    { ...HEADERS, bodyTimeout: 200 },
    ({ app }) =>
      app.post("/slow", async (c) => {
        const body = await c.req.text();
        await sleep(1500);
        return c.text(body);
      }),
    async ({ url, service: { io } }) => {
      const client = await (await PollingClient.connect(url)).join();
      const polled = client.packets();
      const answer = await fetch(`${url}/slow`, { method: "POST", body: "late" });
      assert.equal(await answer.text(), "late");
      io.emit("late");
      assert.deepEqual(await polled, ['42["late"]']);
    },
  ));

if (runtime === "node") {
  test("a client that stops in the middle of a body for a route of the author's gets a 408", () =>
    withService(
      BODY,
      ({ app }) => {
        app.onError((_, c) => c.text("never seen", 500));
        app.post("/echo", async (c) => c.text(await c.req.text()));
      },
      async ({ port }) => {
        const bytes = `POST /echo HTTP/1.1\r\n${HOST}Content-Length: 100\r\n\r\nhalf`;
        assert.match(await closing(connect(port, "127.0.0.1"), bytes), /^HTTP\/1\.1 408 /);
      },
    ));

  test("a client waits for as long as a route takes to read its body", () =>
    withService(
      { bodyTimeout: 200 },
      ({ app }) =>
        app.post("/late", async (c) => {
          await sleep(1000);
          return c.text(String((await c.req.text()).length));
        }),
      async ({ url }) => {
        const body = "x".repeat(20_000_000);
        assert.equal(await (await fetch(`${url}/late`, { method: "POST", body })).text(), "20000000");
      },
    ));
} else {
  test("HEADERS_TIMEOUT is refused where the runtime's own server decides", async () => {
    await assert.rejects(
      withService({ headersTimeout: 5000 }, async () => {}),
      {
        name: "SettingsError",
        message: /^HEADERS_TIMEOUT is not available on (Bun|Deno): \w/,
      },
    );
  });
}
