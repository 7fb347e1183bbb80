/**
 * readSettings(): options take precedence over the environment, and the environment over defaults; invalid values are
 * refused with an error.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { describe, test } from "node:test";
import { createService, type ServiceOptions, type Settings } from "../src/index.ts";
import { readSettings, SETTINGS } from "../src/settings.ts";
import { serve } from "./support/runtime.ts";
import { QUIET } from "./support/service.ts";
import { all, refuses, untyped } from "./support/settings.ts";

const DEVELOPMENT_HOSTS = [".localhost", "127.0.0.1", "[::1]", "0.0.0.0"];

interface Row {
  readonly option: keyof ServiceOptions;
  readonly variable: string;
  readonly form: string;
  readonly reads: (settings: Settings) => unknown;
  /** Strings for the environment and the option, with the values that they are read as. */
  readonly good: Readonly<Record<string, unknown>>;
  /** Values for the option only, which are not changed. */
  readonly goodOptions: readonly unknown[];
  readonly bad: readonly string[];
  readonly badOptions: readonly unknown[];
}

const TABLE: readonly Row[] = [
  {
    option: "host",
    variable: "HOST",
    form: "a host name or an IP address",
    reads: ({ host }) => host,
    good: { "0.0.0.0": "0.0.0.0", "My-Host.example_1": "My-Host.example_1" },
    goodOptions: ["::1", "localhost"],
    bad: ["a b", "http://localhost", "example.org/", "[::1]", "*"],
    badOptions: [8000, "", null],
  },
  {
    option: "port",
    variable: "PORT",
    form: "a number between 0 and 65535",
    reads: ({ port }) => port,
    good: { "0": 0, "80": 80, "08000": 8000, "65535": 65_535 },
    goodOptions: [0, 65_535],
    bad: ["80a", "-1", "65536", "1.5", " 80", "0x50", "1e3", "eighty"],
    badOptions: [-1, 65_536, 1.5, NaN, Infinity, "", true, null],
  },
  {
    option: "production",
    variable: "NODE_ENV",
    form: 'true, false or the name of an environment ("production")',
    reads: ({ production }) => production,
    good: { production: true, development: false, test: false, true: false },
    goodOptions: [true, false],
    bad: [],
    badOptions: [1, null],
  },
  {
    option: "allowedHosts",
    variable: "ALLOWED_HOSTS",
    form: 'a list of host names without scheme or port ("example.org, .example.org, [::1]" or "*")',
    reads: ({ allowedHosts }) => allowedHosts,
    good: {
      "example.org": ["example.org"],
      " Example.ORG,.example.com  [::1]\t127.0.0.1 ,, ": [
        "example.org",
        ".example.com",
        "[::1]",
        "127.0.0.1",
      ],
      "*": ["*"],
      " , ": DEVELOPMENT_HOSTS,
    },
    goodOptions: [["example.org", ".b.org"], ["*"]],
    bad: ["http://a.org", "a.org:80", "*.a.org", "a_b.org", "a.org, b.org/", "[::1", ".", "-a.org"],
    badOptions: [["a.org", "b.org:80"], true, [1]],
  },
  {
    option: "allowedOrigins",
    variable: "ALLOWED_ORIGINS",
    form: 'a list of origins ("https://example.org, http://localhost:3000" or "*")',
    reads: ({ allowedOrigins }) => allowedOrigins,
    good: {
      "https://Example.org": ["https://example.org"],
      "http://localhost:3000, capacitor://localhost": ["http://localhost:3000", "capacitor://localhost"],
      "*": ["*"],
      "null file://": ["null", "file://"],
      "wss://a.org https://[::1]:8443": ["wss://a.org", "https://[::1]:8443"],
      "chrome-extension://abc app://.": ["chrome-extension://abc", "app://."],
      ",": [],
    },
    goodOptions: [["https://a.org"], []],
    bad: [
      "a.org",
      "https://a.org/",
      "https://a.org?b",
      "https://*.a.org",
      "https://",
      "//a.org",
      "nul",
      "file:///a",
      "file:",
      "https://a.org\\@b.org",
      "https://b@a.org",
      "https://a.org:99999",
      "http://a%2eorg",
    ],
    badOptions: [["https://a.org", "b.org"], /a/],
  },
  {
    option: "trustProxy",
    variable: "TRUST_PROXY",
    form: 'true, false, a number of proxies, or a list of addresses ("loopback, 10.0.0.0/8")',
    reads: ({ trustProxy }) => trustProxy,
    good: {
      ...all("true TRUE yes on 1", 1),
      ...all("false no Off 0", false),
      "2": 2,
      loopback: ["loopback"],
      "loopback, 10.0.0.0/8 fd00::/8": ["loopback", "10.0.0.0/8", "fd00::/8"],
      "10.0.0.0/255.0.0.0": ["10.0.0.0/255.0.0.0"],
    },
    goodOptions: [false, 0, 3, ["uniquelocal", "::1"]],
    bad: ["maybe", "-1", "1.5", "10.0.0.0/33", "10.0.0.256", "loopback, proxy.example.org", ","],
    badOptions: [-1, 1.5, NaN, ["10.0.0.1", "nobody"], []],
  },
  {
    option: "trustForwardedHost",
    variable: "TRUST_FORWARDED_HOST",
    form: "true or false",
    reads: ({ trustForwardedHost }) => trustForwardedHost,
    good: { ...all("1 true yes on ON", true), ...all("0 false no off No", false) },
    goodOptions: [true, false],
    bad: ["maybe", "2", "y", " true"],
    badOptions: [1, ""],
  },
  {
    option: "transports",
    variable: "TRANSPORTS",
    form: 'a list of "polling" and "websocket"',
    reads: ({ socketio }) => socketio.transports,
    good: { polling: ["polling"], "websocket, polling": ["websocket", "polling"] },
    goodOptions: [["websocket"], ["polling", "websocket"]],
    bad: ["udp", "polling, webtransport", "Polling", ","],
    badOptions: [[], ["polling", "udp"], 1, ""],
  },
  {
    option: "maxDepth",
    variable: "MAX_DEPTH",
    form: "a whole number between 1 and 1000",
    reads: ({ maxDepth }) => maxDepth,
    good: { "1": 1, "256": 256, "1000": 1000 },
    goodOptions: [1, 1000],
    bad: ["0", "1001", "-1", "1.5", "deep", "1e2"],
    badOptions: [0, 1001, 1.5, NaN, Infinity, "", true, null],
  },
  ...(["maxPackets", "maxNamespaces"] as const).map((option) => ({
    option,
    variable: { maxPackets: "MAX_PACKETS", maxNamespaces: "MAX_NAMESPACES" }[option],
    form: "a whole number above 0",
    reads: (settings: Settings) => settings[option],
    good: { "1": 1, "1000000": 1_000_000 },
    goodOptions: [1, 5000],
    bad: ["0", "-1", "1.5", "many", "1e2"],
    badOptions: [0, -1, 1.5, NaN, Infinity, "", true, null],
  })),
  {
    option: "maxBuffered",
    variable: "MAX_BUFFERED",
    form: "a whole number of bytes, or 0 for no limit",
    reads: ({ maxBuffered }) => maxBuffered,
    good: { "0": 0, "8388608": 8_388_608 },
    goodOptions: [0, 1_000_000],
    bad: ["-1", "1.5", "8M", "1e6"],
    badOptions: [-1, 1.5, NaN, Infinity, "", true, null],
  },
  ...(["headersTimeout", "bodyTimeout"] as const).map((option) => ({
    option,
    variable: option === "headersTimeout" ? "HEADERS_TIMEOUT" : "BODY_TIMEOUT",
    form: "a whole number of milliseconds up to 3600000, or 0 for no limit",
    reads: (settings: Settings) => settings[option],
    good: { "0": 0, "5000": 5000 },
    goodOptions: [0, 3_600_000],
    bad: ["-1", "1.5", "10s", "3600001"],
    badOptions: [-1, 1.5, NaN, Infinity, "", true, null],
  })),
  {
    option: "engine",
    variable: "ENGINE",
    form: '"fastest", "matching" or "native"',
    reads: ({ engine }) => engine,
    good: { fastest: "fastest", matching: "matching", native: "native" },
    goodOptions: ["native"],
    bad: ["engine.io", "Native", "1"],
    badOptions: [true, ""],
  },
  {
    option: "chat",
    variable: "CHAT",
    form: "true or false",
    reads: ({ chat }) => chat,
    good: { ...all("1 true yes on ON", true), ...all("0 false no off No", false) },
    goodOptions: [true, false],
    bad: ["maybe", "2", "y", " true"],
    badOptions: [1, ""],
  },
  {
    option: "errors",
    variable: "ERRORS",
    form: '"contain" or "exit"',
    reads: ({ errors }) => errors,
    good: { contain: "contain", exit: "exit" },
    goodOptions: ["exit"],
    bad: ["Exit", "true", "0"],
    badOptions: [true, ""],
  },
  {
    option: "fastPaths",
    variable: "FAST_PATHS",
    form: "true or false",
    reads: ({ fastPaths }) => fastPaths,
    good: { ...all("1 true yes on ON", true), ...all("0 false no off No", false) },
    goodOptions: [true, false],
    bad: ["maybe", "2", "y", " true"],
    badOptions: [1, ""],
  },
];

for (const { option, variable, form, reads, good, goodOptions, bad, badOptions } of TABLE) {
  describe(`${option} and ${variable}`, () => {
    const readEnv = (value: string) => reads(readSettings({}, { [variable]: value }));
    const readOption = (value: unknown, env = {}) => reads(readSettings(untyped([option, value]), env));

    test("are read in every valid form", () => {
      for (const [value, expected] of Object.entries(good)) {
        assert.deepEqual(readEnv(value), expected, `${variable}=${value}`);
        assert.deepEqual(readOption(value), expected, `${option}: "${value}"`);
      }
      for (const value of goodOptions) assert.deepEqual(readOption(value), value);
    });

    test("are refused with an error that names them, the value and the form expected", () => {
      for (const value of bad) refuses(() => readEnv(value), `${variable} must be ${form} (got "${value}")`);
      for (const value of [...bad, ...badOptions]) {
        const shown = typeof value === "string" ? `"${value}"` : String(value);
        refuses(() => readOption(value), `${option} must be ${form} (got ${shown})`);
      }
    });

    test("count as unset if the variable is empty or the option undefined", () => {
      const unset = reads(readSettings({}, {}));
      assert.deepEqual(readEnv(""), unset);
      assert.deepEqual(readOption(undefined), unset);
    });

    test("take precedence in this order: option, environment, default", () => {
      for (const [value, expected] of Object.entries(good)) {
        for (const other of [...Object.keys(good), ...bad]) {
          assert.deepEqual(readOption(value, { [variable]: other }), expected, `${value} and ${other}`);
        }
      }
    });
  });
}

test("some options mean the same in two forms: true is one proxy, an empty list of hosts is the default", () => {
  assert.equal(readSettings({ trustProxy: true }, {}).trustProxy, 1);
  for (const allowedHosts of ["", []]) {
    const env = { ALLOWED_HOSTS: "example.org" };
    assert.deepEqual(readSettings({ allowedHosts }, env).allowedHosts, DEVELOPMENT_HOSTS);
    assert.deepEqual(readSettings({ allowedHosts, production: true }, env).allowedHosts, []);
  }
});

test("the defaults are those of development", () => {
  const { logger, ...settings } = readSettings({}, {});
  assert.equal(logger, console);
  const plain = {
    host: "0.0.0.0",
    port: 8000,
    production: false,
    trustProxy: false,
    maxDepth: 256,
    maxBuffered: 8_388_608,
    headersTimeout: 10_000,
    bodyTimeout: 30_000,
    maxPackets: 50_000,
    maxNamespaces: 100,
    trustForwardedHost: false,
    engine: "fastest",
    chat: true,
    errors: "contain",
    fastPaths: true,
  };
  const socketio = { transports: ["polling", "websocket"] };
  assert.deepEqual(settings, { ...plain, allowedHosts: DEVELOPMENT_HOSTS, allowedOrigins: [], socketio });
});

test("in production neither a host nor the demo is served, unless the settings say so", () => {
  const bare = readSettings({}, { NODE_ENV: "production" });
  assert.deepEqual([bare.allowedHosts, bare.chat], [[], false]);
  const asked = readSettings({}, { NODE_ENV: "production", ALLOWED_HOSTS: "example.org", CHAT: "on" });
  assert.deepEqual([asked.allowedHosts, asked.chat], [["example.org"], true]);
});

test("createService() reads the environment of the process, and refuses invalid values", () => {
  const before = process.env["PORT"];
  process.env["PORT"] = "12345";
  try {
    assert.equal(createService().settings.port, 12_345);
    refuses(() => createService({ port: "x" }), 'port must be a number between 0 and 65535 (got "x")');
    process.env["PORT"] = "80a";
    refuses(() => createService(), 'PORT must be a number between 0 and 65535 (got "80a")');
  } finally {
    if (before === undefined) delete process.env["PORT"];
    else process.env["PORT"] = before;
  }
});

test("settings are frozen, but not the objects that the author passed", () => {
  const allowedHosts = ["example.org"];
  const trustProxy = ["loopback"];
  const socketio = { pingInterval: 1_000 };
  for (const settings of [readSettings({}, {}), readSettings({ allowedHosts, trustProxy, socketio }, {})]) {
    assert.ok(Object.isFrozen(settings));
    const { allowedHosts, allowedOrigins, trustProxy, socketio } = settings;
    for (const part of [allowedHosts, allowedOrigins, trustProxy, socketio]) assert.ok(Object.isFrozen(part));
  }
  for (const own of [allowedHosts, trustProxy, socketio]) assert.ok(!Object.isFrozen(own));
});

test("the README's table names every setting", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  for (const [option, { variable }] of Object.entries(SETTINGS)) {
    assert.ok(readme.includes(`| \`${variable}\` | \`${option}\` |`), `${variable} (${option})`);
  }
});

test("serve() refuses an invalid port, and the service can still be served", async () => {
  const service = createService(QUIET);
  for (const port of [70_000, -1, 1.5, NaN]) {
    const message = `port must be a number between 0 and 65535 (got ${port})`;
    await assert.rejects(serve(service, { port }), { name: "SettingsError", message });
  }
  const listening = await serve(service);
  assert.equal((await fetch(`${listening.url}/nowhere`)).status, 404);
  await listening.close();
});
