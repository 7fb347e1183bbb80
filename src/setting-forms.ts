/**
 * The forms of settings: schemas that check a value and convert it. Each takes an option of the author's, or the text of
 * an environment variable.
 */
import proxyaddr from "proxy-addr";
import * as v from "valibot";
import { normalizeOrigin } from "./web-origin.ts";

export const list = v.pipe(
  v.union([v.array(v.string()), v.string()]),
  v.transform((value) => (typeof value === "string" ? value.split(/[\s,]+/) : value)),
  v.transform((items) => items.map((item) => item.trim()).filter((item) => item !== "")),
);

export const boolean = v.union([
  v.boolean(),
  v.pipe(
    v.string(),
    v.toLowerCase(),
    v.picklist(["1", "true", "yes", "on", "0", "false", "no", "off"]),
    v.transform((value) => ["1", "true", "yes", "on"].includes(value)),
  ),
]);

/** A whole number, or the text of one. */
export const integer = (min: number, max: number) =>
  v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))]),
    v.integer(),
    v.minValue(min),
    v.maxValue(max),
  );

export const PORT_FORM = "a number between 0 and 65535";
export const port = integer(0, 65_535);

const HOST = /^(?:\*|\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[a-f0-9:.]+\])$/;
export const allowedHosts = v.pipe(
  list,
  v.transform((hosts) => hosts.map((host) => host.toLowerCase())),
  v.array(v.pipe(v.string(), v.regex(HOST))),
);

// Origins need not be http: a hybrid app has "capacitor://localhost", a packaged page "file://" or "null".
const isOrigin = (one: string): boolean =>
  one === "*" || one === "file://" || (!one.endsWith("/") && normalizeOrigin(one) !== undefined);
export const allowedOrigins = v.pipe(
  list,
  v.transform((origins) => origins.map((origin) => origin.toLowerCase())),
  v.array(v.pipe(v.string(), v.check(isOrigin))),
);

const areProxies = (proxies: string[]): boolean => {
  try {
    proxyaddr.compile(proxies);
    return proxies.length > 0;
  } catch {
    return false;
  }
};
const hops = v.pipe(v.number(), v.integer(), v.minValue(0));
export const trustProxy = v.union([
  v.pipe(
    boolean,
    v.transform((trusted) => (trusted ? 1 : (false as const))),
  ),
  hops,
  v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number), hops),
  v.pipe(list, v.check(areProxies)),
]);

export const TRANSPORTS = ["polling", "websocket"] as const;
export const transports = v.pipe(list, v.array(v.picklist(TRANSPORTS)), v.minLength(1));

export const positiveInteger = v.pipe(v.number(), v.integer(), v.minValue(1));

export const MILLISECONDS_FORM = "a whole number of milliseconds up to 3600000, or 0 for no limit";
export const milliseconds = integer(0, 3_600_000);
