/**
 * The launcher for Deno: Hinoko's own engine on Deno.serve.
 */
import type { Context } from "hono";
import type { ConnInfo } from "hono/conninfo";
import { getConnInfo } from "hono/deno";
import { main } from "../src/cli.ts";
import { defineServe, type Runtime, type Servable, type Serve } from "../src/runtime.ts";
import { commands } from "./commands.ts";
import { createHandler, type Handler } from "./deno/handler.ts";
import { listen } from "./deno/listen.ts";
import { upgradeWebSocket } from "./deno/upgrade.ts";

const runtime: Runtime = {
  name: commands.deno.name,
  version: Deno.version.deno,
  getConnInfo: withAddressType,
  upgradeWebSocket,
  listen,
};

/** Hono's own tells no `addressType` on Deno. */
function withAddressType(c: Context): ConnInfo {
  const { remote } = getConnInfo(c);
  return { remote: { ...remote, addressType: remote.address?.includes(":") ? "IPv6" : "IPv4" } };
}

/** Serves a service on Deno. */
export const serve: Serve = defineServe(runtime);

/**
 * Has `deno serve` serve a service: `export default fetchHandler(service)`. The address, TLS and the end are Deno's
 * command's; sessions are kept by one process, so not with `--parallel`.
 */
export const fetchHandler = (service: Servable): Pick<Handler, "fetch"> => {
  const { fetch } = createHandler(service.mount(runtime));
  return { fetch };
};

if (import.meta.main) await main({ key: "deno", runtime, serve, commands });
