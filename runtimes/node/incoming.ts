/**
 * An IncomingMessage that Node treats as an upgrade only if it asks for a WebSocket. A request for another upgrade
 * ("h2c", "TLS/1.0") is answered as if it had not asked, which is how a server declines (RFC 9110, 7.8). Otherwise
 * Node, because the launcher listens for "upgrade", would take the connection away from its HTTP parser for every
 * upgrade, and the body of such a request would be lost.
 */
import { IncomingMessage } from "node:http";
import { isHandshake } from "../../src/engine/handshake.ts";
import { NodeVisitor } from "./visitor.ts";

export class UpgradableMessage extends IncomingMessage {
  /**
   * What Node's parser says. It is only declared: Node's constructor sets `upgrade`, and an initialized field would
   * then overwrite it.
   */
  declare private isUpgradeAsked: boolean | null;

  /**
   * Node's HTTP server reads this property when it has read a request's head, and emits "upgrade" if it is true. From
   * Node 22.21 on there is an option for that, `shouldUpgradeCallback` (https://github.com/nodejs/node/pull/59824).
   */
  get upgrade(): boolean | null {
    if (!this.isUpgradeAsked) return this.isUpgradeAsked;
    const visitor = new NodeVisitor(this);
    return isHandshake(this.method ?? "", (name) => visitor.header(name));
  }

  set upgrade(isAsked: boolean | null) {
    this.isUpgradeAsked = isAsked;
  }
}
