/**
 * Listens to a connection on behalf of its WebSocket. The connection keeps the WebSocket in a property, so that all
 * connections can share four listeners. Four closures for each would take memory for as long as it lasts.
 */
import type { Duplex } from "node:stream";

/** Handles what happens on a connection. */
export interface ConnectionHandler {
  handleBytes(chunk: Buffer): void;
  /** The client ended its side of the connection. */
  handleEnd(): void;
  /** The connection failed. `handleLoss()` follows. */
  handleFailure(): void;
  /** The connection is closed. @param rest the bytes that have come but were not delivered, because it was paused */
  handleLoss(rest: unknown): void;
}

const kHandler = Symbol("WebSocket");

interface Carrier extends Duplex {
  [kHandler]: ConnectionHandler;
}

/** Has a handler called for everything that happens on a connection. */
export function listenToConnection(connection: Duplex, handler: ConnectionHandler): void {
  Object.assign(connection, { [kHandler]: handler });
  connection.on("close", onClose);
  connection.on("data", onData);
  connection.on("end", onEnd);
  connection.on("error", onError);
}

/** Whether a connection has a handler already. */
export const isListenedTo = (connection: Duplex): boolean => kHandler in connection;

function onData(this: Carrier, chunk: Buffer): void {
  this[kHandler].handleBytes(chunk);
}

function onEnd(this: Carrier): void {
  this[kHandler].handleEnd();
}

function onError(this: Carrier): void {
  this[kHandler].handleFailure();
}

function onClose(this: Carrier): void {
  this[kHandler].handleLoss(this.readableLength > 0 ? this.read(this.readableLength) : undefined);
}
