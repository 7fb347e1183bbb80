/**
 * How each launcher is started from a command line, as `--runtime`, `--reload` and the tests do it.
 */
import { fileURLToPath } from "node:url";
import type { Command } from "../src/cli/respawn.ts";
import { advisePermission } from "./deno/permissions.ts";

const isSource = () => import.meta.url.endsWith(".ts");
const launcher = (name: string) =>
  fileURLToPath(new URL(`./${name}.${isSource() ? "ts" : "js"}`, import.meta.url).href);

/** What serving takes: Socket.IO and the settings read the environment; the page, the client and the app are files. */
const PERMISSIONS = ["--allow-net", "--allow-env", "--allow-read"];

/** Whether somebody's own flags are about a permission, which Deno refuses to be given twice. */
const replaces = (flags: readonly string[], permission: string): boolean =>
  flags.some((flag) => [permission, "--allow-all", "-A"].includes(flag) || flag.startsWith(`${permission}=`));

/** Else Deno warns that a poll's `request.signal` is aborted when the poll was answered, which the engine knows. */
export const NO_LEGACY_ABORT = "--unstable-no-legacy-abort";

/** In MB. Else V8's young generation grows to twice that while many clients connect, and does not shrink again. */
export const YOUNG_GENERATION = "--v8-flags=--max-semi-space-size=8";

export const commands = {
  node: {
    name: "Node.js",
    binary: "node",
    install: "npm install --save-dev node",
    // Node 20 needs tsx to run TypeScript; what is published is JavaScript.
    args: (watch, flags = []) => [
      ...(watch ? ["--watch"] : []),
      ...(isSource() ? ["--import", import.meta.resolve("tsx")] : []),
      ...flags,
      launcher("node"),
    ],
  },
  bun: {
    name: "Bun",
    binary: "bun",
    install: "npm install --save-dev bun",
    args: (watch, flags = []) => [
      ...(watch ? ["--watch"] : []),
      "--no-env-file", // the command reads .env itself, alike on every runtime
      ...flags,
      launcher("bun"),
    ],
  },
  deno: {
    name: "Deno",
    binary: "deno",
    install: "npm install --save-dev deno",
    args: (watch, flags = []) => [
      "run",
      ...(watch ? ["--watch"] : []),
      NO_LEGACY_ABORT,
      YOUNG_GENERATION,
      "--no-prompt", // a service does not stand still until somebody at the terminal has answered
      ...PERMISSIONS.filter((permission) => !replaces(flags, permission)),
      ...flags,
      launcher("deno"),
    ],
    advise: advisePermission,
  },
} satisfies Record<string, Command>;
