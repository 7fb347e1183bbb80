/**
 * A WebSocketServer of ws, which makes the opening handshakes, but constructs a DirectWebSocket in place of ws's own
 * class.
 */
import { type ServerOptions, WebSocketServer } from "ws";
import { isListenedTo } from "./connection.ts";
import { flushAtEndOfTurn } from "./turn.ts";
import { DirectWebSocket } from "./websocket.ts";

/**
 * ws's types allow only subclasses of its own class for this option, so TypeScript must not look into it. The head of
 * index.ts says what ws does with the class.
 */
const webSocketOption: object = { WebSocket: DirectWebSocket };

export class DirectWebSocketServer extends WebSocketServer {
  /** With `perMessageDeflate` it constructs ws's own class, because a DirectWebSocket does not compress. */
  constructor(options: ServerOptions = {}, callback?: () => void) {
    super(options.perMessageDeflate ? options : { ...options, ...webSocketOption }, callback);
  }

  /** Makes a handshake. The 101 leaves in one write with the first frames. */
  override handleUpgrade(...args: Parameters<WebSocketServer["handleUpgrade"]>): void {
    const [, connection] = args;
    // ws makes this check too, but it only finds a WebSocket of its own class on the connection.
    if (isListenedTo(connection))
      throw new Error("handleUpgrade() was called twice with the same connection");
    connection.cork();
    super.handleUpgrade(...args);
    flushAtEndOfTurn({ flush: () => connection.uncork() });
  }
}
