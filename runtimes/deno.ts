/**
 * The launcher for Deno: Hinoko's own engine on Deno.serve.
 */
import type { Runtime } from "../src/runtime.ts";
import { defineServe, type Servable, type Serve } from "../src/serve.ts";
import { commands } from "./commands.ts";
import { createHandler, type Handler, listen } from "./deno/listen.ts";
import { visitor } from "./deno/visitor.ts";
import { isProgram } from "./program.ts";

const runtime: Runtime = { name: commands.deno.name, version: Deno.version.deno, visitor, listen };

/** Serves a service on Deno. */
export const serve: Serve = defineServe(runtime);

/**
 * Has `deno serve` serve a service: `export default fetchHandler(service)`. The address, TLS and the end are Deno's
 * command's; sessions are kept by one process, so not with `--parallel`.
 */
export const fetchHandler = (service: Servable): { fetch: Handler } => ({
  fetch: createHandler(service.mount(runtime)),
});

if (isProgram("deno", import.meta)) {
  void import("../src/cli.ts").then(({ main }) => main({ key: "deno", runtime, serve, commands }));
}
