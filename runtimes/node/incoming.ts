/**
 * A request of Node's that asks for no upgrade but to WebSocket. Others ("h2c", "TLS/1.0") are declined by answering the
 * request as if it had not asked (RFC 9110, 7.8). Node would take the connection from its HTTP parser as soon as anybody
 * listens for upgrades, and the request's body would be lost.
 */
import { IncomingMessage } from "node:http";

export class UpgradableMessage extends IncomingMessage {
  /** What Node's parser says. A field with a value would be set after Node's own constructor has set `upgrade`. */
  declare private isAsked: boolean | null;

  /**
   * Node's HTTP server looks at this member when it has read a request's head: true makes it emit "upgrade". From Node
   * 22.21 on there is an option for it, `shouldUpgradeCallback` (https://github.com/nodejs/node/pull/59824).
   */
  get upgrade(): boolean | null {
    return this.isAsked && isHandshake(this);
  }

  set upgrade(isAsked: boolean | null) {
    this.isAsked = isAsked;
  }
}

/** Whether a request that asks for an upgrade asks for a WebSocket (RFC 6455, 4.2.1). */
const isHandshake = ({ method, headers }: IncomingMessage): boolean =>
  method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
