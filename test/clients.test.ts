/**
 * Clients other than the current socket.io-client: its version 3, and python-socketio.
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
          // The Python process ends without waiting until its last packet is sent. Between two polls the server then
          // notices only at the next heartbeat.
          assert.match(
            reasons.join(),
            /^(?:client namespace disconnect|transport close|transport error|ping timeout)$/,
          );
        },
      );
    });
  }
}
