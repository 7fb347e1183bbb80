/**
 * "hinoko/serve" on Deno: an app that imports from there runs on every runtime.
 */
export { serveStatic } from "@hono/node-server/serve-static";
export { serve } from "../deno.ts";
