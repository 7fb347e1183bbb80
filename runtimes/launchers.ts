/**
 * The launcher of each runtime, loaded when it is asked for: each names globals that only its runtime has.
 */
import { getRuntimeKey } from "hono/adapter";

export const launchers = {
  node: () => import("./node.ts"),
  bun: () => import("./bun.ts"),
  deno: () => import("./deno.ts"),
};

type Key = keyof typeof launchers;

const hasLauncher = (key: string): key is Key => Object.hasOwn(launchers, key);

/** Tells which launcher is for the runtime that runs this. @returns undefined for a runtime that has none */
export function findLauncher(): Key | undefined {
  const key = getRuntimeKey();
  return hasLauncher(key) ? key : undefined;
}
