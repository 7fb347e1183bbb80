/**
 * "hinoko/serve" on Node.js: an app that imports from there runs on every runtime.
 */
export { serveStatic } from "@hono/node-server/serve-static";
export { serve } from "../node.ts";
