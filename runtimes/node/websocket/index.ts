/**
 * The door of this room: WebSockets for a Node server that read and write their connections directly, without the
 * streams and the events between that ws has. Other folders import from this file only, and nothing in this room imports
 * anything from outside it.
 *
 * ws makes the opening handshake, and documents what its users may do with a WebSocket: `DirectWebSocketServer` is ws's
 * WebSocketServer, and `DirectWebSocket` a class of our own with the same methods, properties and events.
 *
 * Besides what ws documents, this room relies on what its WebSocketServer does with the class in its option `WebSocket`.
 * That is so in ws 8.23, and test/node/ws-members.test.ts fails when it changes:
 * - it calls `new WebSocket(null, undefined, options)` with the server's options, of which a WebSocket reads `autoPong`,
 *   `maxPendingAutoPongs` and `closeTimeout`;
 * - it sets `_protocol` if a subprotocol was chosen;
 * - it calls `setSocket(connection, head, limits)`, of which the reader takes `maxPayload`, `maxFragments` and
 *   `skipUTF8Validation`;
 * - it calls `on("close")` if it tracks its clients.
 *
 * What this room does not do:
 * - extensions: with `perMessageDeflate` the server makes WebSockets of ws's own class;
 * - the client's role;
 * - `send()` of a Blob, which has to be read first: await its `arrayBuffer()`;
 * - `allowSynchronousEvents: false`: all messages of a chunk are emitted in one turn;
 * - `binaryType = "fragments"` gives a list of one buffer, as fragments are put together when they come;
 * - a WebSocket is no `instanceof` ws's WebSocket;
 * - the callback of `send()` is called when more may be sent, not when the operating system has taken the data.
 */
export { encodeMessage } from "./frame.ts";
export { DirectWebSocketServer } from "./server.ts";
export { DirectWebSocket, type WebSocketOwner } from "./websocket.ts";
