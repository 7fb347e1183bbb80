/**
 * Socket.IO's adapter in memory, which publishes broadcasts to crowds where the runtime can: once for all, instead of
 * once for each. What is sent, to whom and in which order is the same.
 */
import type { Namespace } from "socket.io";
import { Adapter, type BroadcastOptions, type Room, type SocketId } from "socket.io-adapter";
import type { Packet } from "socket.io-parser";
import { encodePacket, isData } from "../engine/parser.ts";
import { Engine } from "./engine.ts";
import type { Publisher } from "./publisher.ts";
import { Topic } from "./topic.ts";

/** From how many sockets on a room is published to: each of them takes some memory then. */
const CROWD = 16;

interface Crowd {
  readonly size: number;
  keys(): Iterable<SocketId>;
}

export class PublishingAdapter extends Adapter {
  declare readonly nsp: Namespace;
  /** Of the whole namespace. */
  #everybody: Topic | undefined;
  /** Of rooms. */
  readonly #topics = new Map<Room, Topic>();

  override addAll(id: SocketId, rooms: Set<Room>): void {
    this.#everybody?.add(id);
    if (this.#topics.size > 0) for (const room of rooms) this.#topics.get(room)?.add(id);
    void super.addAll(id, rooms);
  }

  override del(id: SocketId, room: Room): void {
    // Whoever hears of it meanwhile, and broadcasts, still reaches the socket as far as it is in.
    this.#topics.get(room)?.unsubscribe(id);
    void super.del(id, room);
    this.#leave(id, room);
  }

  override delAll(id: SocketId): void {
    const rooms = [...(this.sids.get(id) ?? [])]; // whoever hears of it may broadcast, and so make topics of them
    this.#everybody?.unsubscribe(id);
    for (const room of rooms) this.#topics.get(room)?.unsubscribe(id);
    super.delAll(id);
    this.#everybody?.delete(id);
    for (const room of rooms) this.#leave(id, room);
  }

  #leave(id: SocketId, room: Room): void {
    const topic = this.#topics.get(room);
    topic?.delete(id);
    if (topic?.isEmpty) this.#topics.delete(room);
  }

  override broadcast(packet: Packet, options: BroadcastOptions): void {
    const engine: object = this.nsp.server.engine;
    const publisher = engine instanceof Engine ? engine.publisher : undefined;
    const [room, ...rest] = options.rooms;
    const members = room === undefined ? this.sids : this.rooms.get(room);
    const topic =
      publisher && members && rest.length === 0 ? this.#topicOf(publisher, room, members) : undefined;
    if (!members || !topic) return super.broadcast(packet, options);

    packet.nsp = this.nsp.name;
    const encoded = this.nsp.server.encoder.encode(packet);
    if (!encoded.every(isData)) return super.broadcast(packet, options);
    const except: ReadonlySet<SocketId> = this["computeExceptSids"](options.except);
    const frames = encoded.map((data) => encodePacket({ type: "message", data }));
    const { volatile, compress } = options.flags ?? {};
    topic.sift(volatile === true);
    topic.publish(frames, except);
    for (const id of topic.others) {
      const socket = except.has(id) || !members.has(id) ? undefined : this.nsp.sockets.get(id);
      if (!socket) continue;
      socket["notifyOutgoingListeners"](packet);
      socket.client["writeToEngine"](encoded, { preEncoded: true, volatile, compress });
      // Whoever was told of it may have made the socket leave.
      if (members.has(id)) topic.subscribe(socket);
    }
  }

  #topicOf(publisher: Publisher, room: Room | undefined, members: Crowd): Topic | undefined {
    const known = room === undefined ? this.#everybody : this.#topics.get(room);
    // When the service is served again, another engine publishes.
    if (known?.publisher === publisher) return known;
    if (members.size < CROWD) return undefined;
    const topic = new Topic(publisher, members.keys());
    if (room === undefined) this.#everybody = topic;
    else this.#topics.set(room, topic);
    return topic;
  }
}
