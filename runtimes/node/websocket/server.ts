/**
 * ws's server, which makes the opening handshakes, with this room's WebSockets in the place of its own.
 */
import { type ServerOptions, WebSocketServer } from "ws";
import { isListenedTo } from "./connection.ts";
import { flushAtEndOfTurn } from "./turn.ts";
import { DirectWebSocket } from "./websocket.ts";

/** The types of ws take only its own class and subclasses here. What ws needs of the class is told in index.ts. */
const ownClass: object = { WebSocket: DirectWebSocket };

/** A WebSocketServer of ws's whose WebSockets are a DirectWebSocket each, or of ws's own class if it compresses. */
export class DirectWebSocketServer extends WebSocketServer {
  constructor(options: ServerOptions = {}, callback?: () => void) {
    super(options.perMessageDeflate ? options : { ...options, ...ownClass }, callback);
  }

  /** Makes a handshake. The answer leaves in one write with the first frames. */
  override handleUpgrade(...args: Parameters<WebSocketServer["handleUpgrade"]>): void {
    const [, connection] = args;
    // ws would notice only that the connection has a WebSocket of its own class.
    if (isListenedTo(connection))
      throw new Error("handleUpgrade() was called twice with the same connection");
    connection.cork();
    super.handleUpgrade(...args);
    flushAtEndOfTurn({ flush: () => connection.uncork() });
  }
}
