/**
 * Socket.IO's in-memory adapter, with a fast path for broadcasts. Where the engine can publish, a broadcast is encoded
 * once and published to all sockets of a crowd, instead of being sent to each socket by itself. Clients get the same
 * packets in the same order either way.
 */
import type { Namespace } from "socket.io";
import { Adapter, type BroadcastOptions, type Room, type SocketId } from "socket.io-adapter";
import type { Packet } from "socket.io-parser";
import type { Publisher } from "../engine/channel.ts";
import { Engine } from "../engine/engine.ts";
import { type Data, encodePacket, isData } from "../engine/parser.ts";
import { Crowd } from "./crowd.ts";

/** A room with fewer sockets than this gets no crowd: subscriptions take memory, and publishing would save little. */
const CROWD_SIZE = 16;

/** The ids of the sockets in a room, or in the whole namespace: a Set or a Map of socket.io-adapter's. */
interface SocketIds {
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
    // A copy from before super.delAll(), which forgets the rooms. A listener of "leave-room" may broadcast meanwhile,
    // and so make a crowd for one of them, which the socket has to leave too.
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
    const members: SocketIds | undefined = room === undefined ? this.sids : this.rooms.get(room);
    if (!publisher || !members || otherRooms.length > 0) return super.broadcast(packet, options);
    const crowd = this.#findCrowd(publisher, room, members);
    if (!crowd) return super.broadcast(packet, options);

    packet.nsp = this.nsp.name;
    const encoded = this.nsp.server.encoder.encode(packet);
    if (!encoded.every(isData)) return super.broadcast(packet, options);
    const except = this.#findSocketsIn(options.except);
    crowd.unsubscribeUnfit(options.flags?.volatile === true);
    crowd.publish(
      encoded.map((data) => encodePacket({ type: "message", data })),
      except,
    );
    this.#sendToOthers(crowd, { packet, encoded, except, members, flags: options.flags });
  }

  /**
   * Sends a message to each socket of a crowd that has not subscribed, and subscribes it for the next message. This
   * does what socket.io-adapter does for each socket of a broadcast.
   */
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
      encoded: Data[];
      except: ReadonlySet<SocketId>;
      members: SocketIds;
    },
  ): void {
    const { volatile, compress } = flags ?? {};
    for (const id of crowd.others) {
      const socket = except.has(id) || !members.has(id) ? undefined : this.nsp.sockets.get(id);
      if (!socket) continue;
      // A copy: a listener may remove itself.
      for (const listener of socket.listenersAnyOutgoing().slice()) listener.apply(socket, packet.data);
      socket.client["writeToEngine"](encoded, { preEncoded: true, volatile, compress });
      // A listener may have made the socket leave.
      if (members.has(id)) crowd.subscribe(socket);
    }
  }

  /** Finds the ids of all sockets that are in at least one of these rooms. */
  #findSocketsIn(rooms: Iterable<Room> | undefined): ReadonlySet<SocketId> {
    const ids = new Set<SocketId>();
    for (const room of rooms ?? []) for (const id of this.rooms.get(room) ?? []) ids.add(id);
    return ids;
  }

  /**
   * Finds or makes the crowd that a broadcast goes to.
   * @param room undefined for the whole namespace
   * @returns undefined when there are too few sockets for a crowd
   */
  #findCrowd(publisher: Publisher, room: Room | undefined, members: SocketIds): Crowd | undefined {
    const known = room === undefined ? this.#everybody : this.#crowds.get(room);
    if (known?.publisher === publisher) return known;
    if (members.size < CROWD_SIZE) return undefined;
    const crowd = new Crowd(publisher, members.keys());
    if (room === undefined) this.#everybody = crowd;
    else this.#crowds.set(room, crowd);
    return crowd;
  }
}
