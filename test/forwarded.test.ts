/**
 * TRUST_PROXY: which proxies' X-Forwarded-For is used for the client's address, in Hono's handlers and in Socket.IO's.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ipRestriction } from "hono/ip-restriction";
import { getConnInfo, type ServiceOptions } from "../src/index.ts";
import { connect, exchange, handshake } from "./support/clients.ts";
import { POLLING, WEBSOCKET } from "./support/engine-client.ts";
import { withService } from "./support/service.ts";

const OWN = "127.0.0.1";
const CLIENT = "203.0.113.9";

type Chain = readonly [forwardedFor: string | undefined, address: string];

const TABLE: readonly { trustProxy: NonNullable<ServiceOptions["trustProxy"]>; chains: readonly Chain[] }[] =
  [
    ...[false, "off", 0, "0"].map((trustProxy) => ({
      trustProxy,
      chains: [
        [undefined, OWN],
        [CLIENT, OWN],
        [`6.6.6.6, ${CLIENT}`, OWN],
      ] satisfies Chain[],
    })),
    ...[true, "yes", 1, "1"].map((trustProxy) => ({
      trustProxy,
      chains: [
        [undefined, OWN],
        ["", OWN],
        [" , ", OWN],
        [CLIENT, CLIENT],
        [`6.6.6.6, ${CLIENT}`, CLIENT],
        [`127.0.0.1,6.6.6.6 ,  ${CLIENT} `, CLIENT],
        ["2001:db8::1", "2001:db8::1"],
      ] satisfies Chain[],
    })),
    {
      trustProxy: 2,
      chains: [
        [`6.6.6.6, ${CLIENT}, 10.0.0.1`, CLIENT],
        [`${CLIENT}, 10.0.0.1`, CLIENT],
        [CLIENT, CLIENT],
      ],
    },
    {
      trustProxy: "loopback",
      chains: [
        [CLIENT, CLIENT],
        [`6.6.6.6, ${CLIENT}`, CLIENT],
        [`6.6.6.6, ${CLIENT}, 127.0.0.2, ::1`, CLIENT],
        [`${CLIENT}, 10.0.0.1`, "10.0.0.1"],
      ],
    },
    {
      trustProxy: ["loopback", "10.0.0.0/8", "fd00::/8"],
      chains: [
        [`6.6.6.6, ${CLIENT}, 10.1.2.3, 10.0.0.1`, CLIENT],
        [`6.6.6.6, ${CLIENT}, fd00::1`, CLIENT],
        [`${CLIENT}, 11.0.0.1`, "11.0.0.1"],
        ["10.0.0.2, 10.0.0.1", "10.0.0.2"],
      ],
    },
    { trustProxy: OWN, chains: [[`6.6.6.6, ${CLIENT}`, CLIENT]] },
    {
      trustProxy: "10.0.0.0/8, 2001:db8::/32",
      chains: [
        [CLIENT, OWN],
        ["10.0.0.1", OWN],
      ],
    },
  ];

describe("the client's address", () => {
  for (const { trustProxy, chains } of TABLE) {
    const form = JSON.stringify(trustProxy);

    test(`is what trustProxy ${form} says, in routes, in middleware and in sessions over both transports`, () =>
      withService(
        { trustProxy },
        ({ app, io }) => {
          app.use("/socket.io/*", async (c, next) => {
            c.header("X-Client", getConnInfo(c).remote.address ?? "none");
            await next();
          });
          app.get("/address", (c) => c.text(getConnInfo(c).remote.address ?? "none"));
          io.on("connection", (socket) => {
            socket.on("address", (answer) => answer(socket.handshake.address));
          });
        },
        async ({ url, ws }) => {
          for (const [forwardedFor, address] of chains) {
            const headers: Record<string, string> =
              forwardedFor === undefined ? {} : { "X-Forwarded-For": forwardedFor };
            const what = `X-Forwarded-For: ${forwardedFor}`;

            assert.equal(await (await fetch(`${url}/address`, { headers })).text(), address, what);
            assert.equal((await fetch(url + POLLING, { headers })).headers.get("x-client"), address, what);
            const shaken = await handshake(ws + WEBSOCKET, headers);
            assert.deepEqual([shaken.status, shaken.headers["x-client"]], [101, address], what);
            shaken.socket?.close();

            for (const transport of ["polling", "websocket"]) {
              const client = await connect(url, { transports: [transport], extraHeaders: headers });
              assert.equal(await client.emitWithAck("address"), address, `${what} over ${transport}`);
              client.disconnect();
            }
          }
        },
      ));
  }

  test("is the nearest untrusted one, also if each proxy adds a header line of its own", () =>
    withService(
      { trustProxy: 2 },
      ({ app }) => {
        app.get("/address", (c) => c.text(getConnInfo(c).remote.address ?? "none"));
      },
      async ({ port }) => {
        const lines = `X-Forwarded-For: 6.6.6.6\nX-Forwarded-For: ${CLIENT}\nX-Forwarded-For: 10.0.0.1\n`;
        const answer = await exchange(
          port,
          `GET /address HTTP/1.1\nHost: localhost\n${lines}Connection: close\n\n`,
        );
        assert.equal(answer.split("\r\n\r\n")[1], CLIENT);
      },
    ));

  test("stays the same when a session is upgraded from polling to WebSocket", () =>
    withService(
      { trustProxy: 1 },
      ({ io }) => {
        io.on("connection", (socket) => {
          socket.conn.once("upgrade", () => socket.emit("upgraded", socket.handshake.address));
        });
      },
      async ({ url }) => {
        const client = await connect(url, { extraHeaders: { "X-Forwarded-For": CLIENT } });
        const address = await new Promise((resolve) => client.once("upgraded", resolve));
        assert.equal(address, CLIENT);
        client.disconnect();
      },
    ));
});

test("without a proxy, getConnInfo() tells what the runtime knows about the connection", () =>
  withService(
    {},
    ({ app }) => {
      app.get("/remote", (c) => c.json(getConnInfo(c).remote));
    },
    async ({ url }) => {
      const remote = await (await fetch(`${url}/remote`)).json();
      assert.equal(remote.address, OWN);
      assert.equal(remote.addressType, "IPv4");
      assert.ok(Number.isInteger(remote.port) && remote.port > 0);
    },
  ));

describe("hono/ip-restriction", () => {
  const restricted = (options: ServiceOptions, forwardedFor: string) => {
    const statuses: number[] = [];
    return withService(
      options,
      ({ app }) => {
        app.use(
          ipRestriction(getConnInfo, { denyList: ["203.0.113.0/24"], allowList: [OWN, "198.51.100.0/24"] }),
        );
        app.get("/plain", (c) => c.text("let in"));
      },
      async ({ url, ws }) => {
        const headers = { "X-Forwarded-For": forwardedFor };
        for (const path of ["/plain", POLLING]) statuses.push((await fetch(url + path, { headers })).status);
        const { status, socket } = await handshake(ws + WEBSOCKET, headers);
        socket?.close();
        statuses.push(status);
      },
    ).then(() => statuses);
  };

  test("refuses the client that a trusted proxy names, over HTTP, polling and WebSocket", async () => {
    assert.deepEqual(await restricted({ trustProxy: "loopback" }, CLIENT), [403, 403, 403]);
    assert.deepEqual(await restricted({ trustProxy: 1 }, `198.51.100.7, ${CLIENT}`), [403, 403, 403]);
    assert.deepEqual(await restricted({ trustProxy: 1 }, "nobody"), [403, 403, 403]);
  });

  test("lets in the client that a trusted proxy names", async () => {
    assert.deepEqual(await restricted({ trustProxy: "loopback" }, "198.51.100.7"), [200, 200, 101]);
    assert.deepEqual(await restricted({ trustProxy: 1 }, `${CLIENT}, 198.51.100.7`), [200, 200, 101]);
  });

  test("uses the address of the connection if no proxy is trusted, whatever a client claims", async () => {
    for (const claim of [CLIENT, "198.51.100.7", "nobody"]) {
      assert.deepEqual(await restricted({}, claim), [200, 200, 101]);
    }
  });
});
