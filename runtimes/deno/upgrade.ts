/**
 * Makes WebSocket handshakes on Deno. An exception between `Deno.upgradeWebSocket()` and the return of its response would
 * stop the listener, so nothing that can fail is left to do in between.
 */
import type { Upgrade } from "../../src/engine/peer.ts";
import { isWellFormed, type MakeHandshake, malformedHandshake } from "../fetch.ts";
import { DenoPeer } from "./peer.ts";
import type { DenoEnv } from "./visitor.ts";

const PROTOCOL = "sec-websocket-protocol";

export const makeHandshake: MakeHandshake<DenoEnv> = (request, _env, headers, upgrade) => {
  const fields = [...headers];
  const upgraded = upgradeWebSocket(request);
  if (!upgraded) return malformedHandshake();
  const { socket, response } = upgraded;
  connectWhenOpen(socket, upgrade);
  for (const [name, value] of fields) {
    // Deno has set a protocol of its own, if the client names any.
    if (name === PROTOCOL) response.headers.set(name, value);
    else response.headers.append(name, value);
  }
  return response;
};

/** @returns undefined for a request that is no handshake */
function upgradeWebSocket(request: Request): Deno.WebSocketUpgrade | undefined {
  if (!isWellFormed(request)) return undefined;
  try {
    return Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  } catch {
    return undefined;
  }
}

/** Before it is open, a WebSocket of Deno's throws when it is to send. */
function connectWhenOpen(socket: WebSocket, upgrade: Upgrade): void {
  socket.binaryType = "arraybuffer";
  const connect = () => {
    const peer = new DenoPeer(socket);
    peer.listen(upgrade.connect(peer));
  };
  // Once: then the closure is not kept for as long as the connection.
  socket.addEventListener("open", connect, { once: true });
}
