/**
 * The setting `socketio`: which options of Socket.IO are checked, and how those of CORS are completed.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServiceOptions } from "../src/index.ts";
import { readSettings } from "../src/settings.ts";
import { all, refuses, untyped } from "./support/settings.ts";

describe("socketio", () => {
  const FORMS: Readonly<Record<string, string>> = {
    ...all(
      "pingInterval pingTimeout upgradeTimeout connectTimeout",
      "a whole number of milliseconds above 0",
    ),
    maxHttpBufferSize: "a whole number of bytes above 0",
  };

  for (const [name, form] of Object.entries(FORMS)) {
    test(`${name} is ${form}`, () => {
      const read = (value: unknown) => readSettings(untyped(["socketio", { [name]: value }]), {}).socketio;
      assert.deepEqual(Object.entries(read(1)).at(-1), [name, 1]);
      for (const value of [0, -1, 1.5, NaN, Infinity, null, true]) {
        refuses(() => read(value), `socketio.${name} must be ${form} (got ${value})`);
      }
      refuses(() => read("1000"), `socketio.${name} must be ${form} (got "1000")`);
    });
  }

  test("path must start with a slash, and contain no pattern and no query", () => {
    const read = (path: string) => readSettings({ socketio: { path } }, {}).socketio.path;
    for (const path of ["/", "/live", "/live/", "/a/b-c.d"]) assert.equal(read(path), path);
    for (const path of ["", "live", "http://a/b", "/a?b", "/a#b", "/a*", "/:a"]) {
      refuses(() => read(path), `socketio.path must be a path that starts with "/" (got "${path}")`);
    }
  });

  test("transports must be known, and take precedence over TRANSPORTS", () => {
    const read = (transports: unknown) =>
      readSettings(untyped(["socketio", { transports }]), { TRANSPORTS: "polling" }).socketio.transports;
    assert.deepEqual(read(["websocket"]), ["websocket"]);
    const message = 'socketio.transports must be an array of "polling" and "websocket"';
    refuses(() => read([]), `${message} (got )`);
    refuses(() => read(["polling", "udp"]), `${message} (got polling,udp)`);
    refuses(() => read("polling"), `${message} (got "polling")`);
  });

  test("any other option is passed on unchanged", () => {
    const socketio = { transports: ["polling" as const], cookie: true, addTrailingSlash: false };
    assert.deepEqual(readSettings({ socketio }, {}).socketio, socketio);
  });

  test("allowed origins get CORS headers, unless cors says otherwise", () => {
    const cors = (options: ServiceOptions) => readSettings(options, {}).socketio.cors;
    assert.equal(cors({}), undefined);
    assert.deepEqual(cors({ allowedOrigins: "https://a.org, https://b.org" }), {
      origin: ["https://a.org", "https://b.org"],
      credentials: true,
    });
    assert.deepEqual(cors({ allowedOrigins: ["https://a.org", "*"] }), { origin: "*" });
    const own = { origin: false };
    assert.equal(cors({ allowedOrigins: "*", socketio: { cors: own } }), own);
    assert.deepEqual(cors({ allowedOrigins: "*, https://a.org", socketio: { cors: own } }), {
      origin: ["https://a.org"],
    });
    const all = { origin: "*" };
    assert.equal(cors({ allowedOrigins: "https://a.org", socketio: { cors: all } }), all);
  });
});
