#!/usr/bin/env node
/**
 * The launcher for Node.js: engine.io, or Hinoko's own engine, and ws behind @hono/node-server.
 */
import { realpathSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { upgradeWebSocket } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { main } from "../src/cli.ts";
import { defineServe, type Runtime, type Serve } from "../src/runtime.ts";
import { commands } from "./commands.ts";
import { bindEngineIo } from "./node/engine.ts";
import { listen } from "./node/listen.ts";
import { bindNative } from "./node/native.ts";
import { visitor } from "./node/visitor.ts";

const runtime: Runtime = {
  name: commands.node.name,
  version: process.versions.node,
  visitor,
  getConnInfo,
  upgradeWebSocket,
  listen: (service, address) =>
    listen(service, address, service.settings.engine === "native" ? bindNative : bindEngineIo),
};

/** Serves a service on Node.js. */
export const serve: Serve = defineServe(runtime);

// Node.js 20 and 22 have no `import.meta.main`; npm runs the command through a link.
const program = process.argv[1];
if (program && realpathSync(program) === fileURLToPath(import.meta.url)) {
  await main({ key: "node", runtime, serve, commands });
}
