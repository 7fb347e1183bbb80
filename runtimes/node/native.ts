/**
 * Hinoko's own engine under @hono/node-server, with the WebSockets of ws, in place of engine.io: ENGINE=native.
 */
import { WebSocketServer } from "ws";
import { readOptions } from "../../src/engine/options.ts";
import { PublishingEngine } from "../../src/engine/topics.ts";
import type { Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { setChainHeaders, withChainHeaders } from "./chain-headers.ts";
import type { EngineBinding } from "./listen.ts";
import { NodePeer } from "./peer.ts";
import { DirectWebSocketServer } from "./websocket/index.ts";

/** Makes the engine of a service. */
export function bindNative({ engine, settings }: Mounted): EngineBinding {
  // engine.io has what the native engine has not.
  const options = readOptions(settings.socketio, `${commands.node.name} with ENGINE=native`);
  const driver = new PublishingEngine(engine, options);
  const Sockets = withChainHeaders(settings.fastPaths ? DirectWebSocketServer : WebSocketServer);
  const sockets = new Sockets({
    noServer: true,
    clientTracking: false,
    // Both find what is too large; ws does before it has received all of it.
    maxPayload: options.maxHttpBufferSize,
  });
  return {
    driver,
    handshakeOf(incoming, env) {
      const upgrade = driver.upgradeOf(env);
      return (
        upgrade &&
        ((socket, head, headers) => {
          setChainHeaders(incoming, headers);
          sockets.handleUpgrade(incoming, socket, head, (webSocket) => {
            const peer = new NodePeer(webSocket, driver.topics);
            peer.listen(upgrade.connect(peer), socket);
          });
        })
      );
    },
  };
}
