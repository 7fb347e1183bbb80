/**
 * The launcher for Bun: Hinoko's own engine, or @socket.io/bun-engine, on Bun.serve.
 */

import { main } from "../src/cli.ts";
import { defineServe, type Runtime, type Serve } from "../src/runtime.ts";
import { bindBunEngine } from "./bun/engine.ts";
import { listen } from "./bun/listen.ts";
import { bindNative } from "./bun/native.ts";
import { getConnInfo, upgradeWebSocket, visitor } from "./bun/route.ts";
import { commands } from "./commands.ts";

const runtime: Runtime = {
  name: commands.bun.name,
  version: Bun.version,
  visitor,
  getConnInfo,
  upgradeWebSocket,
  listen: (service, address) =>
    listen(service, address, service.settings.engine === "matching" ? bindBunEngine : bindNative),
};

/** Serves a service on Bun. */
export const serve: Serve = defineServe(runtime);

if (import.meta.main) await main({ key: "bun", runtime, serve, commands });
