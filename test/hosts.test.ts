/**
 * The host guard: Django's ALLOWED_HOSTS, for plain requests, polling and the WebSocket handshake alike.
 */
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { describe, test } from "node:test";
import { isAllowedHost } from "../src/http/hosts.ts";
import { createService, type ServiceOptions } from "../src/index.ts";
import { connect, exchange, overs, TRANSPORTS } from "./support/clients.ts";
import { silent, withService } from "./support/service.ts";

const REFUSAL = "Bad Request: this host is not served here";

const REQUESTS = {
  "a plain request": { target: "/plain", served: 200 },
  polling: { target: "/socket.io/?EIO=4&transport=polling", served: 200 },
  "a WebSocket handshake": { target: "/socket.io/?EIO=4&transport=websocket", served: 101 },
};
type Kind = keyof typeof REQUESTS;
const KINDS = Object.keys(REQUESTS).filter((kind): kind is Kind => kind in REQUESTS);

const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** Makes a request with exactly these header lines, and resolves with the answer. */
async function ask(port: number, kind: Kind, lines: readonly string[], version = "HTTP/1.1") {
  const isHandshake = kind === "a WebSocket handshake";
  const connection = isHandshake ? UPGRADE : ["Connection: close"];
  const bytes = [`GET ${REQUESTS[kind].target} ${version}`, ...lines, ...connection, "", ""].join("\r\n");
  const answer = isHandshake ? await firstAnswer(port, bytes) : await exchange(port, bytes);
  const [head = "", body = ""] = answer.split(/\r\n\r\n(.*)/s);
  return { answer, status: Number(head.split(" ")[1]), body };
}

/** Reads from a connection that stays open until the answer is a 101, or a refusal with its body. */
async function firstAnswer(port: number, bytes: string): Promise<string> {
  const socket = connectTcp(port, "127.0.0.1").setEncoding("utf8");
  socket.write(bytes);
  let answer = "";
  for await (const chunk of socket) {
    answer += String(chunk);
    if (/^HTTP\/1\.1 101 |\r\n\r\n./.test(answer)) break;
  }
  return answer;
}

/** Sends a service all three kinds of requests, and expects each to be served, or to be refused with the host logged. */
const asking = (
  options: ServiceOptions,
  cases: readonly { lines: readonly string[]; refused?: string }[],
  version?: string,
) => {
  const warnings: unknown[] = [];
  const logger = { ...silent, warn: (line: unknown) => void warnings.push(line) };
  return withService(
    { logger, ...options },
    ({ app }) => {
      app.get("/plain", (c) => c.text("served"));
    },
    async ({ port, service }) => {
      const allowed = service.settings.allowedHosts.join(", ") || "none";
      // A server must ignore Upgrade in an HTTP/1.0 request (RFC 9110, 7.8), so there is no handshake to test.
      for (const kind of version === "HTTP/1.0"
        ? KINDS.filter((kind) => REQUESTS[kind].served === 200)
        : KINDS) {
        for (const { lines, refused } of cases) {
          const what = `${kind} with ${JSON.stringify(lines)}`;
          const { status, body } = await ask(port, kind, lines, version);
          if (refused === undefined) assert.equal(status, REQUESTS[kind].served, what);
          else assert.deepEqual({ status, body }, { status: 400, body: REFUSAL }, what);
          const line = `Refused host ${JSON.stringify(refused)} (ALLOWED_HOSTS: ${allowed})`;
          assert.deepEqual(warnings.splice(0), refused === undefined ? [] : [line], what);
        }
      }
    },
  );
};

const hosts = (served: readonly string[], refused: readonly string[]) => [
  ...served.map((host) => ({ lines: [`Host: ${host}`] })),
  ...refused.map((host) => ({ lines: [`Host: ${host}`], refused: host })),
];

const JUNK = [
  "",
  ".",
  "*",
  "a_b",
  "evil.com:80a",
  "example.org:",
  "example.org:80:80",
  "[::1",
  "::g",
  "::1:8000a",
  "::1:70000",
  "1:2:3",
  "[::g]",
  "[example.org]",
  "example.org@evil.com",
  "evil.com@example.org",
  "example.org/",
  "example.org?",
  "example.org#",
  "exa mple.org",
  "example.org, evil.com",
  "http://example.org",
];

const TABLE = [
  {
    allowed: ["example.org"],
    served: [
      "example.org",
      "EXAMPLE.Org",
      "example.org:80",
      "example.org:8443",
      "example.org.",
      "example.org.:80",
    ],
    refused: [
      "evil.com",
      "www.example.org",
      "example.org.evil.com",
      "evilexample.org",
      "example.org..",
      ...JUNK,
    ],
  },
  {
    allowed: [".example.org"],
    served: ["example.org", "www.example.org", "A.B.example.org:80", "www.example.org.", ".example.org"],
    refused: ["evilexample.org", "example.org.evil.com", "example.com", "org", ...JUNK],
  },
  {
    allowed: ["*"],
    served: ["evil.com", "127.0.0.1:1", "[::1]", "[2001:db8::1]:80", "2001:db8::1", "::1:8000"],
    refused: JUNK,
  },
  {
    allowed: ["[::1]", "127.0.0.1"],
    served: ["[::1]", "[::1]:8000", "::1", "::1:8000", "127.0.0.1", "127.0.0.1:8000"],
    refused: [
      "[::2]",
      "::2",
      "::2:8000",
      "::1:2:8000",
      "[::]",
      "127.0.0.2",
      "localhost",
      "1",
      "0.0.0.0",
      ...JUNK,
    ],
  },
  {
    allowed: ["example.org", ".example.com"],
    served: ["example.org", "a.example.com"],
    refused: ["a.example.org"],
  },
];

describe("ALLOWED_HOSTS", () => {
  for (const { allowed, served, refused } of TABLE) {
    test(`${allowed.join(" and ")} accepts and refuses hosts by Django's rules`, () => {
      for (const host of served) assert.equal(isAllowedHost(host, allowed), true, host);
      for (const host of refused) assert.equal(isAllowedHost(host, allowed), false, host);
    });

    test(`${allowed.join(" and ")} does the same on a real server, for every kind of request`, () =>
      asking({ allowedHosts: allowed }, hosts(served, refused)));
  }

  test("an empty list serves nothing", () => {
    for (const host of ["localhost", "127.0.0.1", ...JUNK])
      assert.equal(isAllowedHost(host, []), false, host);
  });

  test("letter case in the list does not matter", () =>
    asking({ allowedHosts: ["EXAMPLE.org"] }, hosts(["example.org", "Example.Org"], ["evil.com"])));

  test("a port above 65535 is refused, although Django accepts any digits", () =>
    asking(
      { allowedHosts: ["*"] },
      hosts(["example.org:65535"], ["example.org:65536", "example.org:99999"]),
    ));
});

test("in development, an empty list serves the names of this machine", () =>
  asking(
    { production: false, allowedHosts: [] },
    hosts(
      [
        "localhost",
        "LOCALHOST:8000",
        "app.localhost",
        "127.0.0.1",
        "127.0.0.1:8000",
        "[::1]:8000",
        "0.0.0.0:8000",
      ],
      ["example.org", "127.0.0.2", "localhost.evil.com", "evillocalhost", "[::]", ...JUNK],
    ),
  ));

test("in production, an empty list refuses everything", () =>
  asking(
    { production: true, allowedHosts: [] },
    hosts([], ["localhost", "127.0.0.1", "[::1]", "0.0.0.0", "example.org", ...JUNK]),
  ));

test("a list that is set replaces the development default", () =>
  asking(
    { production: false, allowedHosts: ["example.org"] },
    hosts(["example.org"], ["localhost", "127.0.0.1"]),
  ));

test("a request with two Host headers is refused", () =>
  withService(
    { allowedHosts: ["example.org"] },
    ({ app }) => {
      app.all("*", (c) => c.text("served"));
    },
    async ({ port }) => {
      const [own, evil] = ["Host: example.org", "Host: evil.com"];
      for (const lines of [
        [own, evil],
        [evil, own],
        [own, own.toLowerCase()],
      ]) {
        for (const kind of KINDS)
          assert.equal((await ask(port, kind, lines)).status, 400, `${kind} ${lines.join()}`);
      }
    },
  ));

test("an HTTP/1.0 request without a Host is refused, even when all hosts are served", () =>
  asking(
    { allowedHosts: ["*"] },
    [{ lines: [], refused: "" }, { lines: ["Host: example.org"] }],
    "HTTP/1.0",
  ));

test("an HTTP/1.1 request without a Host is answered 400", () =>
  withService(
    { allowedHosts: ["*"] },
    ({ app }) => {
      app.all("*", (c) => c.text("served"));
    },
    async ({ port }) => {
      for (const kind of KINDS) assert.equal((await ask(port, kind, [])).status, 400, kind);
    },
  ));

test("the host in an absolute request line is not used, by the guard or in c.req.url", () =>
  withService(
    { allowedHosts: ["example.org"] },
    ({ app }) => {
      app.get("/link", (c) => c.text(new URL("/reset", c.req.url).href));
    },
    async ({ port }) => {
      const get = (target: string, host: string) =>
        exchange(port, `GET http://${target} HTTP/1.1\nHost: ${host}\nConnection: close\n\n`);
      assert.match(
        await get("evil.com/link", "example.org"),
        /^HTTP\/1\.1 200 .*\r\n\r\nhttp:\/\/example\.org\/reset$/s,
      );
      assert.match(await get("evil.com:80@/link", "evil.com"), /^HTTP\/1\.1 400 /);
      assert.match(await get("example.org/link", "evil.com"), /^HTTP\/1\.1 400 /);
    },
  ));

/** Outside of browsers, socket.io-client leaves out the brackets of an IPv6 address when it polls ("::1:8000"). */
for (const over of overs) {
  test(`socket.io-client connects to an IPv6 address: ${over}`, () => {
    const hosts: unknown[] = [];
    return withService(
      { host: "::1" },
      ({ io }) => io.on("connection", ({ handshake }) => hosts.push(handshake.headers.host)),
      async ({ url, port }) => {
        const client = await connect(url, { transports: TRANSPORTS[over] });
        client.disconnect();
        assert.deepEqual(hosts, [over === "websocket" ? `[::1]:${port}` : `::1:${port}`]);
      },
    );
  });
}

test("TRACE with an unusual target or host is answered 4xx, and no error is logged", () => {
  const errors: unknown[] = [];
  const logger = { ...silent, error: (error: unknown) => void errors.push(error) };
  return withService({ logger, allowedHosts: ["example.org"] }, async ({ port }) => {
    for (const target of ["/x", "//x", "http://evil.com/x", "http:///x", REQUESTS.polling.target]) {
      for (const host of ["example.org", "EXAMPLE.org", "example.org:70000", "evil.com"]) {
        const head = `TRACE ${target} HTTP/1.1\nHost: ${host}\nConnection: close\n\n`;
        // Closing the connection without an answer is allowed as well; a 5xx is not.
        assert.match(await exchange(port, head), /^(?:HTTP\/1\.1 4\d\d |$)/, `${target} at ${host}`);
      }
    }
    assert.deepEqual(errors, []);
  });
});

describe("X-Forwarded-Host", () => {
  const evil = { lines: ["Host: evil.com", "X-Forwarded-Host: example.org"] };
  const good = { lines: ["Host: example.org", "X-Forwarded-Host: evil.com"] };

  test("is ignored unless a trusted proxy sends it", async () => {
    for (const trustProxy of [false, 0, "10.0.0.0/8"]) {
      await asking({ allowedHosts: ["example.org"], trustProxy, trustForwardedHost: true }, [
        { ...evil, refused: "evil.com" },
        good,
      ]);
    }
  });

  test("is ignored from a trusted proxy by default, because it may be the client's own", async () => {
    for (const trustProxy of [true, 2, "loopback"]) {
      await asking({ allowedHosts: ["example.org"], trustProxy }, [{ ...evil, refused: "evil.com" }, good]);
    }
  });

  test("replaces Host behind a trusted proxy with TRUST_FORWARDED_HOST", async () => {
    const list = { lines: ["Host: example.org", "X-Forwarded-Host: example.org, example.org"] };
    for (const trustProxy of [true, 1, "loopback"]) {
      await asking({ allowedHosts: ["example.org"], trustProxy, trustForwardedHost: true }, [
        evil,
        { ...good, refused: "evil.com" },
        { ...list, refused: "example.org, example.org" },
        ...hosts(["example.org"], ["evil.com"]),
      ]);
    }
  });
});

test("in an author's tests the guard checks the URL, because app.request() sends no Host", async () => {
  const { app } = createService({ allowedHosts: ["example.org"], logger: silent });
  app.get("/plain", (c) => c.text("served"));
  assert.equal((await app.request("http://example.org/plain")).status, 200);
  assert.equal((await app.request("http://evil.com/plain")).status, 400);
});
