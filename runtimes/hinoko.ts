#!/usr/bin/env node
/**
 * The command hinoko, as npm installs it: starts the launcher of the runtime that runs this file. `npx` and a shell run
 * it on Node.js; `bunx --bun hinoko` and `deno run npm:hinoko/hinoko` on Bun and Deno, all the same.
 */
import process from "node:process";
import { main } from "../src/cli.ts";
import { commands } from "./commands.ts";
import { findLauncher, launchers } from "./launchers.ts";

const key = findLauncher() ?? "node";
const { serve } = await launchers[key]();
const runtime = { name: commands[key].name, version: process.versions[key] ?? "" };

// "bun run start" and bunx start what names Node.js in its first line, or in package.json: Bun is asked for all the same.
const isForBun = key === "node" && process.env["npm_config_user_agent"]?.startsWith("bun/");
await main({ key, ...(isForBun && { preferred: "bun" }), runtime, serve, commands });
