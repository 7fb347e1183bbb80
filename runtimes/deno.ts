/**
 * The launcher for Deno: Hinoko's own engine on Deno.serve.
 */
import { main } from "../src/cli.ts";
import { defineServe, type Runtime, type Servable, type Serve } from "../src/runtime.ts";
import { commands } from "./commands.ts";
import { createHandler, type Handler } from "./deno/handler.ts";
import { listen } from "./deno/listen.ts";
import { getConnInfo, visitor } from "./deno/route.ts";
import { upgradeWebSocket } from "./deno/upgrade.ts";

const runtime: Runtime = {
  name: commands.deno.name,
  version: Deno.version.deno,
  visitor,
  getConnInfo,
  upgradeWebSocket,
  listen,
};

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
