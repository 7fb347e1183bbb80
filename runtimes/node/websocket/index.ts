/**
 * WebSockets for a Node server that read and write their connections directly, where ws puts streams and events in
 * between. Other folders import from this file only, and no file in this folder imports from another folder.
 *
 * ws makes the opening handshakes: `DirectWebSocketServer` is ws's WebSocketServer, which constructs a
 * `DirectWebSocket` in place of its own WebSocket. That class has the methods, properties and events that ws documents.
 *
 * This folder also relies on something that ws does not document: what its WebSocketServer does with the class in its
 * option `WebSocket`. With ws 8.23 it does this, and test/node/ws-members.test.ts fails when that changes:
 * - it calls `new WebSocket(null, undefined, options)` with the server's options, of which a WebSocket reads
 *   `autoPong`, `maxPendingAutoPongs` and `closeTimeout`;
 * - it sets `_protocol` if a subprotocol was chosen;
 * - it calls `setSocket(connection, head, limits)`, of which the reader takes `maxPayload`, `maxFragments` and
 *   `skipUTF8Validation`;
 * - it calls `on("close")` if it tracks its clients.
 *
 * What a `DirectWebSocket` does not do, or does otherwise than ws:
 * - it has no extensions: with `perMessageDeflate`, the server constructs ws's own class instead;
 * - it is never a client's;
 * - it does not send a Blob: await its `arrayBuffer()` and send that;
 * - it ignores `allowSynchronousEvents: false` and emits all messages of a chunk in one turn of the event loop;
 * - with `binaryType = "fragments"` it gives a list of one buffer, because it joins fragments as they come;
 * - it is not `instanceof` ws's WebSocket;
 * - it calls the callback of `send()` when more may be sent, not when the operating system has taken the data.
 */
export { encodeMessage } from "./frame.ts";
export { DirectWebSocketServer } from "./server.ts";
export { DirectWebSocket, type WebSocketOwner } from "./websocket.ts";
