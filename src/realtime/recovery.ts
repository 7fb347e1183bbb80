/**
 * Socket.IO's adapter for connection state recovery, without a fault of it. The adapter stores each broadcast packet
 * for clients that reconnect, and it does so before it encodes the packet. A packet that cannot be encoded would stay
 * stored, and throw an uncaught error for each client that reconnects. So it is removed from the store here.
 */
import { type BroadcastOptions, SessionAwareAdapter } from "socket.io-adapter";
import type { Packet } from "socket.io-parser";

export class RecoveringAdapter extends SessionAwareAdapter {
  override broadcast(packet: Packet, options: BroadcastOptions): void {
    try {
      super.broadcast(packet, options);
    } catch (error) {
      // The error can also come from an author's onAnyOutgoing() listener. Other clients have got the packet then, so
      // it stays stored.
      if (!this.#canEncode(packet)) this.#forgetPacket(packet);
      throw error;
    }
  }

  #forgetPacket(packet: Packet): void {
    const kept: { data: unknown }[] = this["packets"];
    this["packets"] = kept.filter(({ data }) => data !== packet.data);
  }

  #canEncode(packet: Packet): boolean {
    try {
      this["encoder"].encode(packet);
      return true;
    } catch {
      return false;
    }
  }
}
