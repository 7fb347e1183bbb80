/**
 * Every WebSocket handshake that is refused gets an answer, and the Hono chain sees it: whoever refuses it, directly and
 * behind a middleware.
 */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import type { Service, ServiceOptions } from "../../src/index.ts";
import { handshake } from "../support/clients.ts";
import { WEBSOCKET } from "../support/engine-client.ts";
import { withService } from "../support/service.ts";

interface Case {
  readonly what: string;
  readonly path?: string;
  readonly socketio?: ServiceOptions["socketio"];
  readonly setup?: (service: Service) => unknown;
  readonly expected: readonly [status: number, body: string];
  /** The code and the name of the error that listeners of "connection_error" get. */
  readonly error?: readonly [code: number, name?: string];
}

type Next = (error?: unknown) => void;

const CASES: readonly Case[] = [
  {
    what: "names another version of the protocol",
    path: WEBSOCKET.replace("EIO=4", "EIO=3"),
    expected: [400, "Unsupported protocol version"],
    error: [5],
  },
  {
    what: "names no version of the protocol",
    path: WEBSOCKET.replace("EIO=4&", ""),
    expected: [400, "Unsupported protocol version"],
    error: [5],
  },
  {
    what: "names an unknown session",
    path: `${WEBSOCKET}&sid=nobody`,
    expected: [400, "Session ID unknown"],
    error: [1],
  },
  {
    what: "names no transport",
    path: "/socket.io/?EIO=4",
    expected: [400, "Transport unknown"],
    error: [0],
  },
  {
    what: "names the transport polling",
    path: "/socket.io/?EIO=4&transport=polling",
    expected: [400, "Bad request"],
    error: [3, "TRANSPORT_HANDSHAKE_ERROR"],
  },
  {
    what: "names a transport that is not offered",
    socketio: { transports: ["polling"] },
    expected: [400, "Transport unknown"],
    error: [0],
  },
  {
    what: "is refused by allowRequest",
    socketio: { allowRequest: (_, decide) => setTimeout(() => decide("not today", false), 1) },
    expected: [400, "not today"],
    error: [4],
  },
  {
    what: "gets no id from generateId(), which throws",
    setup: ({ io }) => {
      io.engine.generateId = () => {
        throw new Error("out of ids");
      };
    },
    expected: [400, "Bad request"],
    error: [3, "ID_GENERATION_ERROR"],
  },
  {
    what: "gets no id from generateId(), which rejects",
    setup: ({ io }) => {
      io.engine.generateId = () => Promise.reject(new Error("out of ids"));
    },
    expected: [400, "Bad request"],
    error: [3, "ID_GENERATION_ERROR"],
  },
  {
    what: "is refused by an io.engine.use() middleware with an error",
    setup: ({ io }) =>
      io.engine.use((_: IncomingMessage, __: ServerResponse, next: Next) => next(new Error("no"))),
    expected: [400, "Bad request"],
    error: [3, "MIDDLEWARE_FAILURE"],
  },
  {
    what: "is answered by an io.engine.use() middleware",
    setup: ({ io }) =>
      io.engine.use((_: IncomingMessage, response: ServerResponse) => {
        response.writeHead(401, { "content-type": "text/plain" });
        response.end("who are you?");
      }),
    expected: [401, "who are you?"],
  },
  {
    what: "is answered with a success by an io.engine.use() middleware",
    setup: ({ io }) => io.engine.use((_: IncomingMessage, response: ServerResponse) => response.end("hello")),
    expected: [200, "hello"],
  },
];

for (const { what, path = WEBSOCKET, socketio = {}, setup, expected, error } of CASES) {
  for (const place of ["directly", "behind a middleware"]) {
    test(`a handshake that ${what} is answered ${expected[0]} ${place}`, () =>
      withService(
        { socketio },
        (service) => {
          if (place !== "directly") {
            service.app.use(async (c, next) => {
              await next();
              c.header("X-Seen", String(c.res.status));
            });
          }
          setup?.(service);
        },
        async ({ ws, service: { io } }) => {
          const errors: unknown[] = [];
          io.engine.on("connection_error", ({ code, context }) => {
            errors.push(context?.name === undefined ? [code] : [code, context.name]);
          });
          const { status, body, headers, socket } = await handshake(ws + path);
          assert.deepEqual([status, body, socket], [...expected, undefined]);
          if (place !== "directly") assert.equal(headers["x-seen"], String(expected[0]));
          assert.deepEqual(errors, error ? [error] : []);
          assert.equal(io.engine.clientsCount, 0);
        },
      ));
  }
}

for (const place of ["directly", "behind a middleware"]) {
  test(`a handshake after io.engine.close() is answered 503 ${place}`, () =>
    withService(
      {},
      ({ app }) => {
        if (place !== "directly") app.use((_, next) => next());
      },
      async ({ ws, service: { io } }) => {
        io.engine.close();
        const { status, body, socket } = await handshake(ws + WEBSOCKET);
        assert.deepEqual([status, body, socket], [503, "Socket.IO is not being served", undefined]);
      },
    ));
}
