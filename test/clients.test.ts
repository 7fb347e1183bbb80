/**
 * Clients other than the newest socket.io-client: its version 3, and the one in Python.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import connect from "socket.io-client-3";
import { overs } from "./support/clients.ts";
import { allGone } from "./support/engine-client.ts";
import { answer, converse } from "./support/old-clients.ts";
import { pythonTest } from "./support/python.ts";
import { withService } from "./support/service.ts";

for (const over of overs) {
  test(`a client of version 3 talks and leaves over ${over}`, () =>
    withService({}, answer, (served) => converse(connect, over, served)));
}

for (const kind of ["threads", "asyncio"]) {
  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
    pythonTest(`a client in Python, with ${kind}, talks over ${transports.join(" upgraded to ")}`, (run) => {
      const reasons: string[] = [];
      return withService(
        { socketio: { pingInterval: 2000, pingTimeout: 2000 } },
        (service) => {
          answer(service);
          service.io.on("connection", (socket) => {
            socket.on("disconnect", (reason) => reasons.push(reason));
          });
        },
        async ({ url, service }) => {
          assert.deepEqual(await run(url, kind, ...transports), {
            transport: transports.at(-1),
            echo: { text: "火の粉 🔥", nested: [null, true, 1.5] },
            reverse: [0, 255, 2, 1],
            said: ["hello", [3, 4]],
            asked: { got: [7, 8] },
          });
          await allGone(service.io.engine);
          // Its process ends without waiting for its last packet. Gone between two polls, it is missed at the heartbeat.
          assert.match(
            reasons.join(),
            /^(?:client namespace disconnect|transport close|transport error|ping timeout)$/,
          );
        },
      );
    });
  }
}
