/**
 * Clients of Socket.IO 2, which speak Engine.IO 3: they can connect with `socketio.allowEIO3`, which only engine.io
 * supports, and are refused otherwise.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import connect from "socket.io-client-2";
import { connect as connectCurrent, overs } from "./support/clients.ts";
import { answer, connectOld, converse } from "./support/old-clients.ts";
import { withEngineIoOption, withService } from "./support/service.ts";

for (const over of overs) {
  test(`with allowEIO3, a client of version 2 can connect over ${over}, or serve() refuses the option`, () =>
    withEngineIoOption({ allowEIO3: true }, answer, async (served) => {
      await converse(connect, over, served);
      const current = await connectCurrent(served.url);
      assert.equal(await current.emitWithAck("echo", "beside it"), "beside it");
      current.disconnect();
    }));

  test(`without allowEIO3, a client of version 2 is refused over ${over}`, () =>
    withService({}, async ({ url, service }) => {
      const errors: unknown[] = [];
      service.io.engine.on("connection_error", ({ code, message }) => errors.push({ code, message }));
      await assert.rejects(connectOld(connect, url, over));
      assert.deepEqual(errors, [{ code: 5, message: "Unsupported protocol version" }]);
      assert.equal(service.io.engine.clientsCount, 0);
    }));
}
