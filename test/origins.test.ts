/**
 * The origin guard of the Socket.IO route: polling, its preflight and the WebSocket handshake alike.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { asking, from, hasCors } from "./support/origins.ts";

describe("by default", () => {
  test("the service's own origin is let in, whatever the letter case and the default port", () =>
    asking(
      {},
      {
        accepted: [
          ...from("http://example.org", "http://EXAMPLE.org", "http://example.org:80"),
          { Host: "Example.ORG:80", Origin: "http://example.org" },
          { Host: "example.org:3000", Origin: "http://example.org:3000" },
          { Host: "[::1]:3000", Origin: "http://[::1]:3000" },
        ],
      },
    ));

  test("a client without an Origin is no browser, and let in", () =>
    asking({}, { accepted: from(undefined) }, ({ what, headers }) =>
      assert.equal(headers["access-control-allow-origin"], undefined, what),
    ));

  test("the service's own origin is let in as clients outside of browsers write it", () =>
    asking(
      {},
      {
        accepted: [
          ...from("ws://example.org", "WS://Example.org:80", "ws://example.org/", "http://example.org/"),
          ...from("wss://example.org", "wss://example.org:443"), // a proxy may have ended its TLS
          { Host: "example.org:3000", Origin: "ws://example.org:3000" },
          { Host: "[::1]:3000", Origin: "ws://[::1]:3000" },
        ],
        refused: [
          ...from("ws://evil.com", "wss://evil.com", "ws://example.org.evil.com", "ws://example.org:8080"),
          ...from("ws://www.example.org", "wss://example.org:80", "ws://example.org@evil.com", "ws://"),
        ],
      },
    ));

  test("what only a URL parser would take for the service's own origin is foreign", () =>
    asking(
      {},
      {
        refused: from(
          "http://example.org\\@evil.com",
          "ws://example.org\\@evil.com",
          "http://example.org/@evil.com",
          "http://evil.com@example.org",
          "http://example.org?evil.com",
          "http://example.org#evil.com",
          "http:example.org",
          "http:///example.org",
          "http://example%2eorg",
          "http://example.org//",
          "http://example.org, http://evil.com",
        ),
      },
    ));

  test("a page of another site that names no Origin is foreign", () =>
    asking(
      {},
      {
        accepted: ["same-origin", "none", "unheard-of"].map((site) => ({ "Sec-Fetch-Site": site })),
        // Another subdomain, port or scheme is another origin.
        refused: ["cross-site", "same-site"].map((site) => ({ "Sec-Fetch-Site": site })),
      },
    ));

  test("where a page is does not matter when its Origin is accepted", () => {
    const sites = ["cross-site", "same-site", "same-origin"];
    return asking(
      { allowedOrigins: ["https://a.com"] },
      {
        // Firefox calls a WebSocket of the own page cross-site: its scheme is another.
        accepted: ["http://example.org", "https://a.com"].flatMap((Origin) =>
          sites.map((site) => ({ Origin, "Sec-Fetch-Site": site })),
        ),
        refused: sites.map((site) => ({ Origin: "https://evil.com", "Sec-Fetch-Site": site })),
      },
    );
  });

  test("another host, port, scheme or subdomain, and what is no origin, is foreign", () =>
    asking(
      {},
      {
        refused: [
          ...from(
            "http://evil.com",
            "https://example.org",
            "http://example.org:8080",
            "http://www.example.org",
          ),
          ...from(
            "http://example.org.evil.com",
            "http://org",
            "null",
            "example.org",
            "*",
            "chrome-extension://example",
          ),
          { Host: "example.org:3000", Origin: "http://example.org" },
          { Host: "example.org:3000", Origin: "http://example.org:3001" },
        ],
      },
    ));
});

describe("behind a proxy that ends TLS", () => {
  const given = { Host: "10.0.0.7:8000", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.org" };
  const own = { ...given, Origin: "https://example.org" };

  test("the own origin is the one that a trusted proxy names", () =>
    asking(
      { trustProxy: true, trustForwardedHost: true },
      {
        accepted: [
          own,
          { ...own, Origin: "wss://example.org" },
          { ...own, "X-Forwarded-Host": "example.org:443" },
          { ...own, "X-Forwarded-Proto": "HTTPS, http" },
          { ...own, "X-Forwarded-Proto": "wss" }, // so does Traefik call a handshake's
          { ...own, "X-Forwarded-Proto": "ws", Origin: "http://example.org" },
          { ...own, "X-Forwarded-Proto": undefined, Origin: "http://example.org" },
          { ...own, "X-Forwarded-Proto": "", Origin: "http://example.org" },
        ],
        refused: [
          { ...own, Origin: "http://example.org" },
          { ...own, Origin: "http://10.0.0.7:8000" },
          { ...own, "X-Forwarded-Proto": "http, https" },
        ],
      },
    ));

  test("the own origin has the Host that the proxy passes on, whatever X-Forwarded-Host says", () =>
    asking(
      { trustProxy: true },
      {
        accepted: [{ ...own, Host: "example.org", "X-Forwarded-Host": "evil.com" }],
        refused: [
          own,
          { ...own, Host: "example.org", "X-Forwarded-Host": "evil.com", Origin: "https://evil.com" },
        ],
      },
    ));

  test("without trust the own origin is the one of the connection", () =>
    asking({}, { accepted: [{ ...own, Origin: "http://10.0.0.7:8000" }], refused: [own] }));
});

describe("ALLOWED_ORIGINS", () => {
  const list = ["https://example.com", "http://localhost:3000", "capacitor://localhost"];

  test("lets in who is listed, with CORS headers and credentials", () =>
    asking({ allowedOrigins: list }, { accepted: from(...list) }, hasCors(undefined, "true")));

  test("lets in who is listed in all the ways in which clients write an origin, on both sides", () =>
    asking(
      { allowedOrigins: ["https://example.com:443", "WS://localhost:3000", "null", "file://", "app://x"] },
      {
        accepted: from(
          "https://example.com",
          "wss://example.com",
          "HTTPS://EXAMPLE.com:443/",
          "http://localhost:3000",
          "ws://localhost:3000",
          "null",
          "file://",
          "file:///",
          "app://x",
          "APP://x/",
        ),
        refused: from(
          "ws://example.com",
          "wss://localhost:3000",
          "file://evil.com",
          "nul",
          "app://y",
          "app://",
        ),
      },
      hasCors(undefined, "true"),
    ));

  test("keeps letting in the own origin and who names none", () =>
    asking({ allowedOrigins: list }, { accepted: from("http://example.org", undefined) }));

  test("says of no answer without an Origin that any may read it", () =>
    asking({ allowedOrigins: list }, { accepted: from(undefined) }, ({ what, headers }) => {
      if (!what.startsWith("OPTIONS")) assert.equal(headers["access-control-allow-origin"], undefined, what);
    }));

  test("refuses who is not listed", () =>
    asking(
      { allowedOrigins: list },
      {
        refused: from(
          "http://example.com",
          "https://example.com:8443",
          "https://www.example.com",
          "http://localhost:3001",
          "https://example.com.evil.com",
          "null",
        ),
      },
    ));

  test("opens to all with *, and gives no credentials away", () =>
    asking(
      { allowedOrigins: "*" },
      { accepted: [...from("http://evil.com", "null", undefined), { "Sec-Fetch-Site": "cross-site" }] },
      hasCors("*"),
    ));
});
