/**
 * Hinoko as it comes, on the runtime that runs this file.
 */
import process from "node:process";
import { createService, type Serve } from "../../../src/index.ts";
import { announce, listen, PAGE } from "./app.ts";

const launchers: Record<string, () => Promise<{ serve: Serve }>> = {
  node: () => import("../../../runtimes/node.ts"),
  bun: () => import("../../../runtimes/bun.ts"),
  deno: () => import("../../../runtimes/deno.ts"),
};
const { bun, deno } = process.versions;
const launcher = launchers[bun ? "bun" : deno ? "deno" : "node"];
if (!launcher) throw new Error("Unknown runtime");

const { serve } = await launcher();
const service = createService({ chat: false });
service.app.get("/", (c) => c.text(PAGE));
listen(service.io);
announce((await serve(service, { port: 0, hostname: "127.0.0.1" })).port);
