/**
 * socket.io's adapter for connection state recovery, which keeps what is sent for clients that come back. It keeps a
 * packet before it encodes it: one that cannot be encoded would be an uncaught error for each client that comes back.
 */
import { type BroadcastOptions, SessionAwareAdapter } from "socket.io-adapter";
import type { Packet } from "socket.io-parser";

export class RecoveringAdapter extends SessionAwareAdapter {
  override broadcast(packet: Packet, options: BroadcastOptions): void {
    try {
      super.broadcast(packet, options);
    } catch (error) {
      // If it was an author's listener of outgoing packets who threw, others have got the packet: it stays.
      if (!this.#canEncode(packet)) this.#drop(packet);
      throw error;
    }
  }

  #drop(packet: Packet): void {
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
