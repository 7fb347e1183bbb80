/**
 * ws's own Receiver as the reference for reading frames. ws exports it, but its types do not.
 */
import { createRequire } from "node:module";
import type { Writable } from "node:stream";

/** One event of a reader: its name and its data, with bytes as Latin-1 text. */
export type Received = readonly [name: string, ...values: unknown[]];

interface ReceiverOptions {
  readonly isServer: boolean;
  readonly maxPayload?: number;
  readonly maxFragments?: number;
  readonly skipUTF8Validation?: boolean;
}

const { Receiver }: { Receiver: new (options: ReceiverOptions) => Writable } = createRequire(import.meta.url)(
  "ws",
);

/** The code of the close frame that ws sends for an error. ws keeps it under a symbol that it does not export. */
function closeCodeOf(error: Error): unknown {
  for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(error)))
    if (key === "closeCode") return value;
  const symbol = Object.getOwnPropertySymbols(error).find(({ description }) => description === "status-code");
  return symbol && Object.getOwnPropertyDescriptor(error, symbol)?.value;
}

/** Writes an error in the form in which tests compare it. */
export const describeBreach = (error: Error & { code?: unknown }): Received => [
  "breach",
  error.constructor.name,
  error.message,
  error.code,
  closeCodeOf(error),
];

/** Reads a stream that arrives in these pieces, and returns the events of ws's Receiver. */
export async function receiveWithWs(
  pieces: readonly Buffer[],
  options: ReceiverOptions,
): Promise<Received[]> {
  const received: Received[] = [];
  const receiver = new Receiver(options);
  const closed = new Promise((resolve) => receiver.once("close", resolve));
  receiver.on("message", (data: Buffer, isBinary: boolean) =>
    received.push(["message", isBinary, data.toString("latin1")]),
  );
  receiver.on("ping", (data: Buffer) => received.push(["ping", data.toString("latin1")]));
  receiver.on("pong", (data: Buffer) => received.push(["pong", data.toString("latin1")]));
  receiver.on("conclude", (code: number, reason: Buffer) =>
    received.push(["close", code, reason.toString("latin1")]),
  );
  receiver.on("error", (error) => received.push(describeBreach(error)));
  for (const piece of pieces) {
    if (receiver.writableEnded) break; // ended by a close frame
    receiver.write(Buffer.from(piece)); // a copy, because the Receiver unmasks in place
  }
  if (!receiver.writableEnded) receiver.end();
  await closed;
  return received;
}
