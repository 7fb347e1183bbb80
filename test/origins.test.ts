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

  test("a client without an Origin is let in, because it is no browser", () =>
    asking({}, { accepted: from(undefined) }, ({ what, headers }) =>
      assert.equal(headers["access-control-allow-origin"], undefined, what),
    ));

  test("the service's own origin is let in however clients outside of browsers write it", () =>
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

  test("an Origin that only a lenient URL parser takes for the service's own is refused", () =>
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

  test("a request without an Origin is refused if a page of another site makes it", () =>
    asking(
      {},
      {
        accepted: ["same-origin", "none", "unheard-of"].map((site) => ({ "Sec-Fetch-Site": site })),
        // Another subdomain, port or scheme is another origin.
        refused: ["cross-site", "same-site"].map((site) => ({ "Sec-Fetch-Site": site })),
      },
    ));

  test("Sec-Fetch-Site does not matter if there is an Origin", () => {
    const sites = ["cross-site", "same-site", "same-origin"];
    return asking(
      { allowedOrigins: ["https://a.com"] },
      {
        // For a WebSocket of the service's own page Firefox sends "cross-site", because "ws:" is another scheme.
        accepted: ["http://example.org", "https://a.com"].flatMap((Origin) =>
          sites.map((site) => ({ Origin, "Sec-Fetch-Site": site })),
        ),
        refused: sites.map((site) => ({ Origin: "https://evil.com", "Sec-Fetch-Site": site })),
      },
    );
  });

  test("another host, port, scheme or subdomain is refused, and so is an invalid Origin", () =>
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

  test("the own origin has the scheme and host that a trusted proxy forwards", () =>
    asking(
      { trustProxy: true, trustForwardedHost: true },
      {
        accepted: [
          own,
          { ...own, Origin: "wss://example.org" },
          { ...own, "X-Forwarded-Host": "example.org:443" },
          { ...own, "X-Forwarded-Proto": "HTTPS, http" },
          { ...own, "X-Forwarded-Proto": "wss" }, // Traefik sends this for a handshake
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

  test("if no proxy is trusted, the own origin is that of the connection", () =>
    asking({}, { accepted: [{ ...own, Origin: "http://10.0.0.7:8000" }], refused: [own] }));
});

describe("ALLOWED_ORIGINS", () => {
  const list = ["https://example.com", "http://localhost:3000", "capacitor://localhost"];

  test("lets in listed origins, with CORS headers and credentials", () =>
    asking({ allowedOrigins: list }, { accepted: from(...list) }, hasCors(undefined, "true")));

  test("lets in listed origins, however the list or a client writes them", () =>
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

  test("still lets in the own origin and clients without an Origin", () =>
    asking({ allowedOrigins: list }, { accepted: from("http://example.org", undefined) }));

  test("adds no CORS header to the answer to a request without an Origin", () =>
    asking({ allowedOrigins: list }, { accepted: from(undefined) }, ({ what, headers }) => {
      if (!what.startsWith("OPTIONS")) assert.equal(headers["access-control-allow-origin"], undefined, what);
    }));

  test("refuses origins that are not listed", () =>
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

  test("lets in every origin with *, but allows no credentials", () =>
    asking(
      { allowedOrigins: "*" },
      { accepted: [...from("http://evil.com", "null", undefined), { "Sec-Fetch-Site": "cross-site" }] },
      hasCors("*"),
    ));
});
