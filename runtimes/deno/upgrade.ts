/**
 * Makes WebSocket handshakes on Deno. Once `Deno.upgradeWebSocket()` is called, its response must be returned: an
 * exception in between would stop the whole server. So everything that can fail is done before.
 */
import type { Upgrade } from "../../src/engine/peer.ts";
import { type MakeHandshake, malformedHandshake } from "../fetch.ts";
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
    // Replace the subprotocol: Deno has chosen one already if the client offers any, and two would fail the handshake.
    if (name === PROTOCOL) response.headers.set(name, value);
    else response.headers.append(name, value);
  }
  return response;
};

/** @returns undefined if the request is not a well-formed handshake */
function upgradeWebSocket(request: Request): Deno.WebSocketUpgrade | undefined {
  try {
    return Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  } catch {
    return undefined;
  }
}

/** Connects a WebSocket to `upgrade` when it is open: until then, `send()` of Deno's WebSocket throws. */
function connectWhenOpen(socket: WebSocket, upgrade: Upgrade): void {
  socket.binaryType = "arraybuffer";
  const connect = () => {
    const peer = new DenoPeer(socket);
    peer.attachListener(upgrade.connect(peer));
  };
  // With `once`, the closure is released at once. Otherwise it would be kept for as long as the connection lasts.
  socket.addEventListener("open", connect, { once: true });
}
