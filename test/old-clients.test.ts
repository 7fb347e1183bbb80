/**
 * Clients of Socket.IO 2, which speak Engine.IO 3: let in where `socketio.allowEIO3` is available, refused otherwise.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import connect from "socket.io-client-2";
import { createService, SettingsError } from "../src/index.ts";
import { connect as connectCurrent } from "./support/clients.ts";
import { answer, connectOld, converse, overs } from "./support/old-clients.ts";
import { serve } from "./support/runtime.ts";
import { silent, withService } from "./support/service.ts";

for (const over of overs) {
  test(`with allowEIO3, a client of version 2 talks over ${over}, or the service does not start`, async () => {
    const options = {
      logger: silent,
      chat: false,
      host: "127.0.0.1",
      port: 0,
      socketio: { allowEIO3: true },
    };
    const service = createService(options);
    answer(service);
    let listening: Awaited<ReturnType<typeof serve>>;
    try {
      listening = await serve(service);
    } catch (error) {
      assert.ok(error instanceof SettingsError);
      assert.match(error.message, /^socketio\.allowEIO3 is not available on [^:]+: .*Engine\.IO 4/);
      return;
    }
    try {
      const served = { ...listening, service, ws: listening.url.replace(/^http/, "ws") };
      await converse(connect, over, served);
      const current = await connectCurrent(listening.url);
      assert.equal(await current.emitWithAck("echo", "beside it"), "beside it");
      current.disconnect();
    } finally {
      service.io.engine.close();
      await listening.close();
    }
  });

  test(`without allowEIO3, a client of version 2 is refused over ${over}`, () =>
    withService(
      {},
      ({ io }) => {
        io.on("connection", () => assert.fail("nobody may get in"));
      },
      async ({ url, service }) => {
        const errors: unknown[] = [];
        service.io.engine.on("connection_error", ({ code, message }) => errors.push({ code, message }));
        await assert.rejects(connectOld(connect, url, over));
        assert.deepEqual(errors, [{ code: 5, message: "Unsupported protocol version" }]);
        assert.equal(service.io.engine.clientsCount, 0);
      },
    ));
}
