/**
 * The launcher for Deno: engine.io over Deno's node:http, as on Node.js.
 */
import { upgradeWebSocket } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { main } from "../src/cli.ts";
import { defineServe, type Runtime, type Serve } from "../src/runtime.ts";
import { commands } from "./commands.ts";
import { listen } from "./node/listen.ts";

const runtime: Runtime = {
  name: commands.deno.name,
  version: Deno.version.deno,
  getConnInfo,
  upgradeWebSocket,
  listen,
};

/** Serves a service on Deno. */
export const serve: Serve = defineServe(runtime);

if (import.meta.main) await main({ key: "deno", runtime, serve, commands });
