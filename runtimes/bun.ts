/**
 * The launcher for Bun: @socket.io/bun-engine on Bun.serve.
 */

import { main } from "../src/cli.ts";
import { defineServe, type Runtime, type Serve } from "../src/runtime.ts";
import { listen } from "./bun/listen.ts";
import { listen as listenNative } from "./bun/native.ts";
import { getConnInfo, upgradeWebSocket } from "./bun/route.ts";
import { commands } from "./commands.ts";

const runtime: Runtime = {
  name: commands.bun.name,
  version: Bun.version,
  getConnInfo,
  upgradeWebSocket,
  listen: (service, address) =>
    service.settings.engine === "native" ? listenNative(service, address) : listen(service, address),
};

/** Serves a service on Bun. */
export const serve: Serve = defineServe(runtime);

if (import.meta.main) await main({ key: "bun", runtime, serve, commands });
