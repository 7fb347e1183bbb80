/**
 * Checks the undocumented members of ws that the WebSockets in runtimes/node/websocket/ use. If an update of ws changes
 * one, a test here fails with its name, instead of some other test without a hint.
 */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { DirectWebSocket } from "../../runtimes/node/websocket/index.ts";
import { FakeConnection, upgradeRequest } from "./fake-connection.ts";

/** Records what ws does with the class in its server's option `WebSocket`, in order. */
function recordHandshake() {
  const uses: string[] = [];
  const args: unknown[][] = [];
  /** Records each property that is read, called or set. */
  class Recorder extends EventEmitter {
    constructor(...given: unknown[]) {
      super();
      uses.push("new");
      args.push(given);
      return new Proxy(this, {
        get(_, name) {
          uses.push(`get ${String(name)}`);
          return (...given: unknown[]) => args.push(given);
        },
        set(_, name, value) {
          uses.push(`set ${String(name)}`);
          args.push([value]);
          return true;
        },
      });
    }
  }
  const ownClass: object = { WebSocket: Recorder };
  const server = new WebSocketServer({ noServer: true, ...ownClass });
  const request = upgradeRequest({
    "sec-websocket-protocol": "chat",
    "sec-websocket-extensions": "permessage-deflate",
  });
  const connection = new FakeConnection();
  const head = Buffer.from("head");
  let isCalledBack = false;
  server.handleUpgrade(request, connection, head, () => {
    isCalledBack = true;
  });
  assert.ok(isCalledBack, "ws must call back in the same turn as the handshake");
  return { uses, args, connection, head };
}

test("ws's handshake uses these members of a WebSocket, and no others", () => {
  const { uses } = recordHandshake();
  assert.deepEqual(
    uses,
    ["new", "set _protocol", "get setSocket", "get on"],
    "ws uses other members of the class in its option WebSocket now: see the head of runtimes/node/websocket/index.ts",
  );
});

test("ws constructs a WebSocket with null, undefined and the server's options", () => {
  const [given] = recordHandshake().args;
  assert.deepEqual(given?.slice(0, 2), [null, undefined], "ws passes other arguments to the constructor now");
  const options = Object(given?.[2]);
  for (const [name, type] of [
    ["autoPong", "boolean"],
    ["maxPendingAutoPongs", "number"],
    ["closeTimeout", "number"],
  ] as const)
    assert.equal(typeof options[name], type, `ws's server has no option ${name} that is a ${type} any more`);
});

test("ws sets the subprotocol as _protocol", () => {
  assert.deepEqual(recordHandshake().args[1], ["chat"], "ws sets something else as _protocol now");
});

test("ws gives setSocket() the connection, the bytes that came after the handshake, and the limits", () => {
  const { args, connection, head } = recordHandshake();
  const [given = []] = args.slice(2);
  assert.equal(given[0], connection, "the first argument of setSocket() is no longer the connection");
  assert.equal(
    given[1],
    head,
    "the second argument of setSocket() must be the bytes that came after the handshake",
  );
  const limits = Object(given[2]);
  for (const [name, type] of [
    ["maxPayload", "number"],
    ["maxFragments", "number"],
    ["skipUTF8Validation", "boolean"],
  ] as const)
    assert.equal(typeof limits[name], type, `setSocket() gets no limit ${name} that is a ${type} any more`);
});

test("DirectWebSocket has every public member of ws's WebSocket", () => {
  const isPublic = (name: string) => !name.startsWith("_") && name !== "setSocket" && name !== "emitClose";
  const ownNames = new Set(Object.getOwnPropertyNames(DirectWebSocket.prototype));
  ownNames.add("url"); // on clients only
  for (const name of Object.getOwnPropertyNames(WebSocket.prototype).filter(isPublic))
    assert.ok(ownNames.has(name), `ws's WebSocket has a public member ${name}, and DirectWebSocket has none`);
  for (const name of ["CONNECTING", "OPEN", "CLOSING", "CLOSED"] as const)
    assert.equal(
      DirectWebSocket[name],
      WebSocket[name],
      `DirectWebSocket.${name} must be the same number as ws's`,
    );
});
