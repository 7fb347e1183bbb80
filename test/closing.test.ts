/**
 * close() ends what is still under way, whatever it is, and leaves nothing that keeps the process running.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { runScript } from "./support/process.ts";
import { runtime } from "./support/runtime.ts";

const urlOf = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

test("io.close() leaves nothing that keeps the process running, while an upgrade is under way", async () => {
  const { status, stdout, stderr } = await runScript(`
    import { createService } from ${urlOf("../src/index.ts")};
    import { serve } from ${urlOf(`../runtimes/${runtime}.ts`)};
    import { FrameClient, PollingClient } from ${urlOf("support/engine-client.ts")};

    const { io, ...service } = createService({
      host: "127.0.0.1",
      port: 0,
      chat: false,
      engine: ${JSON.stringify(process.env["ENGINE"] ?? "fastest")},
      socketio: { upgradeTimeout: 60_000 },
    });
    const { url } = await serve({ io, ...service });
    for (const isProbed of [false, true]) {
      const { open } = await PollingClient.connect(url);
      const client = await FrameClient.connect(url, open.sid);
      if (isProbed) await client.probe();
    }
    await io.close();
    console.log("closed");
  `);
  assert.deepEqual([status, stdout, stderr], [0, "closed\n", ""]);
});
