#!/usr/bin/env node
/**
 * The launcher for Node.js: engine.io, or Hinoko's own engine, behind @hono/node-server.
 */
import { realpathSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { main } from "../src/cli.ts";
import type { Runtime } from "../src/runtime.ts";
import { defineServe, type Serve } from "../src/serve.ts";
import { commands } from "./commands.ts";
import { listen } from "./node/listen.ts";
import { visitor } from "./node/visitor.ts";

const runtime: Runtime = { name: commands.node.name, version: process.versions.node, visitor, listen };

/** Serves a service on Node.js. */
export const serve: Serve = defineServe(runtime);

// Node.js 20 and 22 have no `import.meta.main`; npm runs the command through a link.
const program = process.argv[1];
if (program && realpathSync(program) === fileURLToPath(import.meta.url)) {
  // package.json's script names node; "bun run start" asks for Bun all the same.
  const preferred = process.env["npm_config_user_agent"]?.startsWith("bun/") ? "bun" : "node";
  await main({ key: "node", preferred, runtime, serve, commands });
}
