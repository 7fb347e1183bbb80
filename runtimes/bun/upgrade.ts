/**
 * Makes WebSocket handshakes on Bun.
 */
import { type MakeHandshake, malformedHandshake } from "../fetch.ts";
import { BunPeer } from "./peer.ts";
import { type BunEnv, visitor } from "./visitor.ts";

export const makeHandshake: MakeHandshake<BunEnv> = (request, env, headers, upgrade) => {
  // Read the address now: once the request has become a WebSocket, Bun does not tell it any more.
  env.remote = visitor(request, env).remote;
  const isMade = env.server.upgrade(request, { headers, data: new BunPeer(upgrade) });
  return isMade ? undefined : malformedHandshake();
};
