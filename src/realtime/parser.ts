/**
 * The parser of Socket.IO packets: socket.io-parser, with a bound to the nesting that it decodes, and with errors that
 * tell an author at the emit what cannot be sent. The fast one has a short way for what most packets are: events and
 * acknowledgements without binary. Whatever else there is, and whatever is malformed, takes the long way.
 * @see https://socket.io/docs/v4/socket-io-protocol/#packet-encoding
 */
import { Decoder, Encoder, isPacketValid, type Packet, PacketType } from "socket.io-parser";
import { type Data, isData } from "../engine/parser.ts";
import type { Settings } from "../settings.ts";
import { type Bounds, breachOf } from "./bounds.ts";

const EVENT = "2".charCodeAt(0);
const ACK = "3".charCodeAt(0);
const SLASH = "/".charCodeAt(0);
const BRACKET = "[".charCodeAt(0);

/** Throws for data that cannot be encoded or sent, so that nothing of it has left when the author is told. */
class CheckedEncoder extends Encoder {
  override encode(packet: Packet): Data[] {
    const encoded = this.#encode(packet);
    // socket.io-parser leaves a Blob as it is, and engines would send "[object Blob]" for it.
    if (encoded.every(isData)) return encoded;
    throw new TypeError("A Blob or File cannot be emitted: emit its bytes, await blob.arrayBuffer()");
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

/** How many levels the short way goes into. socket.io-parser goes as far as the stack does. */
const SHORT_WAY = 256;

class FastEncoder extends CheckedEncoder {
  override encode(packet: Packet): Data[] {
    const { type, nsp, id, data } = packet;
    const isOrdinary = type === PacketType.EVENT || type === PacketType.ACK;
    if (!isOrdinary || !nsp || !Array.isArray(data) || !areText(data, SHORT_WAY)) return super.encode(packet);
    return [`${type}${nsp === "/" ? "" : `${nsp},`}${id ?? ""}${JSON.stringify(data)}`];
  }
}

/** Whether there is nothing but JSON in it, on so many levels: no binary, and nothing that may turn into it. */
function isText(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return areText(value, levels - 1);
  if (!isRecord(value)) return false;
  for (const key in value) {
    // Not Object.hasOwn(): engines see through this one, in a loop over keys, at no cost.
    if (Object.prototype.hasOwnProperty.call(value, key) && !isText(value[key], levels - 1)) return false;
  }
  return true;
}

function areText(values: readonly unknown[], levels: number): boolean {
  for (const value of values) if (!isText(value, levels)) return false;
  return true;
}

const isRecord = (value: object): value is Record<string, unknown> =>
  Object.getPrototypeOf(value) === Object.prototype && !("toJSON" in value);

/** How many arguments an event or an acknowledgement may have, its name included: they are passed on the stack. */
const MAX_ARGUMENTS = 4096;

/**
 * Refuses packets that are nested too deep or have too many arguments, as Socket.IO refuses what it cannot parse: it
 * closes the connection.
 */
class BoundedDecoder extends Decoder {
  readonly #bounds: Bounds;

  /** @param maxDepth how many levels of arrays and objects a packet may have, that of its arguments included */
  constructor(maxDepth: number) {
    super();
    this.#bounds = { levels: maxDepth, arguments: MAX_ARGUMENTS };
  }

  override add(data: unknown): void {
    if (typeof data === "string") this.#refuseOversized(data);
    this.take(data);
  }

  /** Takes what is within the bounds. */
  protected take(data: unknown): void {
    super.add(data);
  }

  #refuseOversized(packet: string): void {
    const bounds = this.#bounds;
    if (packet.length < 2 * bounds.levels) return; // as most packets are, which spares them a closer look
    const breach = breachOf(packet, bounds, startOfJson(packet));
    if (breach) throw new RangeError(`A packet may have ${bounds[breach]} ${breach} at the most`);
  }
}

/** Where the JSON of a packet begins, or a number before it. The namespace can have quotes and brackets of its own. */
function startOfJson(packet: string): number {
  const hasAttachments = packet.startsWith("5") || packet.startsWith("6");
  const start = hasAttachments ? packet.indexOf("-") + 1 : 1;
  if (packet.charCodeAt(start) !== SLASH) return start;
  const comma = packet.indexOf(",", start);
  return comma < 0 ? packet.length : comma + 1;
}

class FastDecoder extends BoundedDecoder {
  /** The last packet on the long way has announced binary, of which there may be more to come. */
  #mayAwaitBinary = false;

  protected override take(data: unknown): void {
    if (typeof data !== "string") return super.take(data);
    const packet = this.#mayAwaitBinary ? undefined : decode(data);
    if (!packet) {
      super.take(data); // which throws if binary is still to come
      this.#mayAwaitBinary = data.startsWith("5") || data.startsWith("6");
      return;
    }
    for (const listener of this.listeners("decoded").slice()) listener.call(this, packet);
  }
}

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

/** For the option `parser` of Socket.IO, which makes a decoder for each client, without an argument. */
export function createParser({ fastPaths, maxDepth }: Pick<Settings, "fastPaths" | "maxDepth">) {
  const Base = fastPaths ? FastDecoder : BoundedDecoder;
  return {
    Encoder: fastPaths ? FastEncoder : CheckedEncoder,
    Decoder: class extends Base {
      constructor() {
        super(maxDepth);
      }
    },
  };
}
