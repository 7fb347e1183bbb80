/**
 * The launcher for Bun: Hinoko's own engine, or @socket.io/bun-engine, on Bun.serve.
 */
import type { Runtime } from "../src/runtime.ts";
import { defineServe, type Serve } from "../src/serve.ts";
import { listen } from "./bun/listen.ts";
import { visitor } from "./bun/visitor.ts";
import { commands } from "./commands.ts";
import { isProgram } from "./program.ts";

const runtime: Runtime = { name: commands.bun.name, version: Bun.version, visitor, listen };

/** Serves a service on Bun. */
export const serve: Serve = defineServe(runtime);

if (isProgram("bun", import.meta)) {
  void import("../src/cli.ts").then(({ main }) => main({ key: "bun", runtime, serve, commands }));
}
