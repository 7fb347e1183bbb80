/**
 * socket.io-parser with a short way for what most packets are: events and acknowledgements without binary.
 * Whatever else there is, and whatever is malformed, takes the long way.
 * @see https://socket.io/docs/v4/socket-io-protocol/#packet-encoding
 */
import { Decoder, Encoder, isPacketValid, type Packet, PacketType } from "socket.io-parser";

class FastEncoder extends Encoder {
  override encode(packet: Packet): unknown[] {
    const { type, nsp, id, data } = packet;
    const isOrdinary = type === PacketType.EVENT || type === PacketType.ACK;
    if (!isOrdinary || !nsp || !Array.isArray(data) || !areText(data)) return super.encode(packet);
    return [`${type}${nsp === "/" ? "" : `${nsp},`}${id ?? ""}${JSON.stringify(data)}`];
  }
}

/** Whether there is nothing but JSON in it: no binary, at any depth, and nothing that may turn into it. */
function isText(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return areText(value);
  if (!isRecord(value)) return false;
  for (const key in value) if (!isText(value[key])) return false;
  return true;
}

function areText(values: readonly unknown[]): boolean {
  for (const value of values) if (!isText(value)) return false;
  return true;
}

const isRecord = (value: object): value is Record<string, unknown> =>
  Object.getPrototypeOf(value) === Object.prototype && !("toJSON" in value);

class FastDecoder extends Decoder {
  /** The last packet on the long way has announced binary, of which there may be more to come. */
  #mayAwaitBinary = false;

  override add(data: unknown): void {
    if (typeof data !== "string") return super.add(data);
    const packet = this.#mayAwaitBinary ? undefined : decode(data);
    if (!packet) {
      super.add(data); // which throws if binary is still to come
      this.#mayAwaitBinary = data.startsWith("5") || data.startsWith("6");
      return;
    }
    for (const listener of this.listeners("decoded").slice()) listener.call(this, packet);
  }
}

const EVENT = "2".charCodeAt(0);
const ACK = "3".charCodeAt(0);
const SLASH = "/".charCodeAt(0);
const BRACKET = "[".charCodeAt(0);

/** A well-formed event or acknowledgement without binary; `undefined` for all else. */
function decode(text: string): Packet | undefined {
  const first = text.charCodeAt(0);
  const type = first === EVENT ? PacketType.EVENT : first === ACK ? PacketType.ACK : undefined;
  if (type === undefined) return undefined;
  if (text.charCodeAt(1) === BRACKET) return valid({ type, nsp: "/", data: parse(text.slice(1)) });
  const comma = text.charCodeAt(1) === SLASH ? text.indexOf(",") : 0;
  const bracket = text.indexOf("[", comma + 1);
  if (comma < 0 || bracket < 0) return undefined;

  const nsp = comma === 0 ? "/" : text.slice(1, comma);
  const id = text.slice(comma + 1, bracket);
  if (id !== "" && !/^\d+$/.test(id)) return undefined;
  const data = parse(text.slice(bracket));
  return valid(id === "" ? { type, nsp, data } : { type, nsp, id: Number(id), data });
}

const valid = (packet: Packet): Packet | undefined => (isPacketValid(packet) ? packet : undefined);

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** For the option `parser` of Socket.IO, which gives neither a replacer nor a reviver of JSON. */
export const fastParser = { Encoder: FastEncoder, Decoder: FastDecoder };
