/**
 * The launcher for Node.js: engine.io, or Hinoko's own engine, behind @hono/node-server.
 */
import process from "node:process";
import type { Runtime } from "../src/runtime.ts";
import { defineServe, type Serve } from "../src/serve.ts";
import { commands } from "./commands.ts";
import { listen } from "./node/listen.ts";
import { visitor } from "./node/visitor.ts";
import { isProgram } from "./program.ts";

const runtime: Runtime = { name: commands.node.name, version: process.versions.node, visitor, listen };

/** Serves a service on Node.js. */
export const serve: Serve = defineServe(runtime);

if (isProgram("node", import.meta)) {
  void import("../src/cli.ts").then(({ main }) => main({ key: "node", runtime, serve, commands }));
}
