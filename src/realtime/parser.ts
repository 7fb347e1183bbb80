/**
 * The parser of Socket.IO packets: socket.io-parser with checks. Decoding refuses packets that are nested too deep or
 * have too many arguments, and those that connect a client to too many namespaces; encoding throws at the author's
 * `emit()` for data that cannot be sent. A disconnect packet is held back until the events before it have reached their
 * listeners. The fast encoder and decoder handle events and acks without binary themselves, and leave every other
 * packet, and every malformed one, to socket.io-parser.
 * @see https://socket.io/docs/v4/socket-io-protocol/#packet-encoding
 */
import { nextTick } from "node:process";
import { Decoder, Encoder, isPacketValid, type Packet, PacketType } from "socket.io-parser";
import { type Data, isData } from "../engine/parser.ts";
import type { Settings } from "../settings.ts";
import { type Bounds, findExceededBound } from "./bounds.ts";
import type { Memberships } from "./namespaces.ts";

const CONNECT = "0".charCodeAt(0);
const DISCONNECT = "1".charCodeAt(0);
const EVENT = "2".charCodeAt(0);
const ACK = "3".charCodeAt(0);
const SLASH = "/".charCodeAt(0);
const BRACKET = "[".charCodeAt(0);

/**
 * Throws for data that cannot be encoded or sent before any frame of it is sent, so that `emit()` reports the error.
 */
class CheckedEncoder extends Encoder {
  override encode(packet: Packet): Data[] {
    const encoded = this.#encode(packet);
    // socket.io-parser passes a Blob on as an attachment, and engines would send the text "[object Blob]" for it.
    if (encoded.every(isData)) return encoded;
    throw new TypeError(
      "A Blob or File cannot be emitted: emit its bytes instead, as by await blob.arrayBuffer()",
    );
  }

  #encode(packet: Packet): unknown[] {
    try {
      return super.encode(packet);
    } catch (error) {
      if (!(error instanceof RangeError && /call stack/.test(error.message))) throw error;
      const problem = "What is emitted is circular, or nested too deep to be encoded";
      throw new RangeError(problem, { cause: error });
    }
  }
}

/**
 * How many levels of nesting the fast encoder handles. Deeper data goes to socket.io-parser, which recurses until the
 * stack overflows, and whose error CheckedEncoder explains.
 */
const FAST_PATH_LEVELS = 256;

class FastEncoder extends CheckedEncoder {
  override encode(packet: Packet): Data[] {
    const { type, nsp, id, data } = packet;
    const isOrdinary = type === PacketType.EVENT || type === PacketType.ACK;
    if (!isOrdinary || !nsp || !Array.isArray(data) || !arePlainJson(data, FAST_PATH_LEVELS))
      return super.encode(packet);
    return [`${type}${nsp === "/" ? "" : `${nsp},`}${id ?? ""}${JSON.stringify(data)}`];
  }
}

/**
 * Whether a value consists of plain objects, arrays and primitives, so that JSON.stringify() encodes all of it: no
 * binary, and no object with a class or a toJSON() of its own, which may return binary.
 * @param levels the most levels of nesting that are looked at; the answer is false for deeper values
 */
function isPlainJson(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return arePlainJson(value, levels - 1);
  if (!isRecord(value)) return false;
  for (const key in value) {
    // JavaScript engines optimize this call away in a for…in loop, but not Object.hasOwn().
    if (Object.prototype.hasOwnProperty.call(value, key) && !isPlainJson(value[key], levels - 1))
      return false;
  }
  return true;
}

function arePlainJson(values: readonly unknown[], levels: number): boolean {
  for (const value of values) if (!isPlainJson(value, levels)) return false;
  return true;
}

const isRecord = (value: object): value is Record<string, unknown> =>
  Object.getPrototypeOf(value) === Object.prototype && !("toJSON" in value);

/** The most arguments of an event (its name included) or of an ack: Socket.IO passes them to listeners on the stack. */
const MAX_ARGUMENTS = 4096;

/**
 * Throws for packets that are nested too deep or have too many arguments. Socket.IO treats that like a packet that
 * cannot be parsed: it closes the client's connection. A CONNECT packet to one namespace too many is not passed on.
 */
class BoundedDecoder extends Decoder {
  readonly #bounds: Bounds;
  readonly #memberships: Memberships | undefined;
  /**
   * Whether the last packet has announced attachments. Some may be missing still, so the next packet must go to
   * socket.io-parser, which throws for a text then.
   */
  #mayAwaitBinary = false;

  /**
   * @param maxDepth the most levels of nested arrays and objects; the array of arguments is one of them
   * @param memberships the namespaces of the client, if they are limited
   */
  constructor(maxDepth: number, memberships: Memberships | undefined) {
    super();
    this.#bounds = { levels: maxDepth, arguments: MAX_ARGUMENTS };
    this.#memberships = memberships;
  }

  override add(data: unknown): void {
    if (typeof data !== "string") return super.add(data);
    this.#refuseOversized(data);
    if (this.#memberships && !isAdmitted(data, this.#memberships)) return;
    const packet = this.#mayAwaitBinary ? undefined : this.decodeOwn(data);
    if (packet?.type === PacketType.DISCONNECT) {
      nextTick(() => this.#report(packet));
    } else if (packet) {
      this.#report(packet);
    } else {
      super.add(data);
      this.#mayAwaitBinary = data.startsWith("5") || data.startsWith("6");
    }
  }

  /**
   * Decodes a packet that socket.io-parser need not decode. A disconnect packet is one of them, because it must wait a
   * tick: Socket.IO takes two ticks to pass an event on and one to disconnect, and drops the events of a disconnected
   * socket. Those that come before the disconnect packet in the same turn would be lost.
   */
  protected decodeOwn(text: string): Packet | undefined {
    return text.charCodeAt(0) === DISCONNECT ? decodeDisconnect(text) : undefined;
  }

  #report(packet: Packet): void {
    for (const listener of this.listeners("decoded").slice()) listener.call(this, packet);
  }

  #refuseOversized(packet: string): void {
    const bounds = this.#bounds;
    // So short a text cannot open and close that many levels. Most packets are shorter, and need no closer look.
    if (packet.length < 2 * bounds.levels) return;
    const breach = findExceededBound(packet, bounds, startOfJson(packet));
    if (breach) throw new RangeError(`A packet may have ${bounds[breach]} ${breach} at the most`);
  }
}

/**
 * Finds the index behind the type, the number of attachments and the namespace of a packet: that of its ack id or of
 * its JSON. The namespace must be skipped, because it may contain quotes and brackets.
 */
function startOfJson(packet: string): number {
  const hasAttachments = packet.startsWith("5") || packet.startsWith("6");
  const start = hasAttachments ? packet.indexOf("-") + 1 : 1;
  if (packet.charCodeAt(start) !== SLASH) return start;
  const comma = packet.indexOf(",", start);
  return comma < 0 ? packet.length : comma + 1;
}

/** Keeps account of the namespaces that a client asks for and leaves. @returns false for a packet to be ignored */
function isAdmitted(packet: string, memberships: Memberships): boolean {
  const type = packet.charCodeAt(0);
  if (type === CONNECT) return memberships.admit(readNamespace(packet));
  if (type === DISCONNECT) memberships.leave(readNamespace(packet));
  return true;
}

/** Reads the namespace of a packet without attachments. */
function readNamespace(packet: string): string {
  if (packet.charCodeAt(1) !== SLASH) return "/";
  const comma = packet.indexOf(",");
  return packet.slice(1, comma < 0 ? packet.length : comma);
}

class FastDecoder extends BoundedDecoder {
  protected override decodeOwn(text: string): Packet | undefined {
    return decodeFast(text) ?? super.decodeOwn(text);
  }
}

/** Decodes a well-formed disconnect packet: "1" or, for a namespace, "1/news,". */
const decodeDisconnect = (text: string): Packet | undefined =>
  /^1(?:\/[^,]*,)?$/.test(text) ? { type: PacketType.DISCONNECT, nsp: text.slice(1, -1) || "/" } : undefined;

/** Decodes a well-formed event or ack without binary. @returns undefined for every other packet */
function decodeFast(text: string): Packet | undefined {
  const first = text.charCodeAt(0);
  const type = first === EVENT ? PacketType.EVENT : first === ACK ? PacketType.ACK : undefined;
  if (type === undefined) return undefined;
  if (text.charCodeAt(1) === BRACKET) return keepIfValid({ type, nsp: "/", data: parseJson(text.slice(1)) });
  const comma = text.charCodeAt(1) === SLASH ? text.indexOf(",") : 0;
  const bracket = text.indexOf("[", comma + 1);
  if (comma < 0 || bracket < 0) return undefined;

  const nsp = comma === 0 ? "/" : text.slice(1, comma);
  const id = text.slice(comma + 1, bracket);
  if (id !== "" && !/^\d+$/.test(id)) return undefined;
  const data = parseJson(text.slice(bracket));
  return keepIfValid(id === "" ? { type, nsp, data } : { type, nsp, id: Number(id), data });
}

const keepIfValid = (packet: Packet): Packet | undefined => (isPacketValid(packet) ? packet : undefined);

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** What Socket.IO's option `parser` takes. */
export interface SocketIoParser {
  readonly Encoder: new () => Encoder;
  readonly Decoder: new () => Decoder;
}

/**
 * Makes the value of Socket.IO's option `parser`. Socket.IO calls `new Decoder()` for each client without an
 * argument, so the class here fills in the arguments.
 * @param takeMemberships returns the namespaces of the client whose decoder is being made
 */
export function createParser(
  { fastPaths, maxDepth }: Pick<Settings, "fastPaths" | "maxDepth">,
  takeMemberships: () => Memberships | undefined = () => undefined,
): SocketIoParser {
  const Base = fastPaths ? FastDecoder : BoundedDecoder;
  return {
    Encoder: fastPaths ? FastEncoder : CheckedEncoder,
    Decoder: class extends Base {
      constructor() {
        super(maxDepth, takeMemberships());
      }
    },
  };
}
