/**
 * Socket.IO's adapter in memory, which publishes a broadcast once to all of a crowd where the bound engine can, instead
 * of sending it once to each socket. What is sent, to whom and in which order is the same.
 */
import type { Namespace } from "socket.io";
import { Adapter, type BroadcastOptions, type Room, type SocketId } from "socket.io-adapter";
import type { Packet } from "socket.io-parser";
import type { Publisher } from "../engine/channel.ts";
import { Engine } from "../engine/engine.ts";
import { type Data, encodePacket, isData } from "../engine/parser.ts";
import { Crowd } from "./crowd.ts";

/** The least number of sockets that are published to: subscriptions take memory. */
const CROWD_SIZE = 16;

/** The sockets of a room, or of the whole namespace. */
interface Members {
  readonly size: number;
  has(id: SocketId): boolean;
  keys(): Iterable<SocketId>;
}

export class PublishingAdapter extends Adapter {
  declare readonly nsp: Namespace;
  /** The crowd of the whole namespace. */
  #everybody: Crowd | undefined;
  /** The crowds of rooms. */
  readonly #crowds = new Map<Room, Crowd>();

  override addAll(id: SocketId, rooms: Set<Room>): void {
    this.#everybody?.add(id);
    if (this.#crowds.size > 0) for (const room of rooms) this.#crowds.get(room)?.add(id);
    void super.addAll(id, rooms);
  }

  override del(id: SocketId, room: Room): void {
    // super.del() emits "leave-room". A listener that broadcasts must still reach this socket until it has left.
    this.#crowds.get(room)?.unsubscribe(id);
    void super.del(id, room);
    this.#leave(id, room);
  }

  override delAll(id: SocketId): void {
    // A copy: a listener of "leave-room" may broadcast, and so open crowds of these rooms.
    const rooms = [...(this.sids.get(id) ?? [])];
    this.#everybody?.unsubscribe(id);
    for (const room of rooms) this.#crowds.get(room)?.unsubscribe(id);
    super.delAll(id);
    this.#everybody?.delete(id);
    for (const room of rooms) this.#leave(id, room);
  }

  #leave(id: SocketId, room: Room): void {
    const crowd = this.#crowds.get(room);
    crowd?.delete(id);
    if (crowd?.isEmpty) this.#crowds.delete(room);
  }

  override broadcast(packet: Packet, options: BroadcastOptions): void {
    const engine: object = this.nsp.server.engine;
    const publisher = engine instanceof Engine ? engine.publisher : undefined;
    const [room, ...otherRooms] = options.rooms;
    const members: Members | undefined = room === undefined ? this.sids : this.rooms.get(room);
    if (!publisher || !members || otherRooms.length > 0) return super.broadcast(packet, options);
    const crowd = this.#crowdOf(publisher, room, members);
    if (!crowd) return super.broadcast(packet, options);

    packet.nsp = this.nsp.name;
    const encoded = this.nsp.server.encoder.encode(packet);
    if (!encoded.every(isData)) return super.broadcast(packet, options);
    const except = this.#socketsIn(options.except);
    crowd.unsubscribeUnfit(options.flags?.volatile === true);
    crowd.publish(
      encoded.map((data) => encodePacket({ type: "message", data })),
      except,
    );
    this.#sendToOthers(crowd, { packet, encoded, except, members, flags: options.flags });
  }

  /** Sends a message one by one to those in a crowd who do not subscribe, and has them subscribe to the next one. */
  #sendToOthers(
    crowd: Crowd,
    {
      packet,
      encoded,
      except,
      members,
      flags,
    }: Pick<BroadcastOptions, "flags"> & {
      packet: Packet;
      encoded: readonly Data[];
      except: ReadonlySet<SocketId>;
      members: Members;
    },
  ): void {
    const { volatile, compress } = flags ?? {};
    for (const id of crowd.others) {
      const socket = except.has(id) || !members.has(id) ? undefined : this.nsp.sockets.get(id);
      if (!socket) continue;
      // A copy: a listener may take itself off.
      for (const listener of socket.listenersAnyOutgoing().slice()) listener.apply(socket, packet.data);
      socket.client["writeToEngine"]([...encoded], { preEncoded: true, volatile, compress });
      // A listener may have made the socket leave.
      if (members.has(id)) crowd.subscribe(socket);
    }
  }

  /** The sockets that are in any of these rooms. */
  #socketsIn(rooms: Iterable<Room> | undefined): ReadonlySet<SocketId> {
    const ids = new Set<SocketId>();
    for (const room of rooms ?? []) for (const id of this.rooms.get(room) ?? []) ids.add(id);
    return ids;
  }

  #crowdOf(publisher: Publisher, room: Room | undefined, members: Members): Crowd | undefined {
    const known = room === undefined ? this.#everybody : this.#crowds.get(room);
    if (known?.publisher === publisher) return known;
    if (members.size < CROWD_SIZE) return undefined;
    const crowd = new Crowd(publisher, members.keys());
    if (room === undefined) this.#everybody = crowd;
    else this.#crowds.set(room, crowd);
    return crowd;
  }
}
