/**
 * Listens to a connection for its WebSocket. The connection carries the WebSocket in a property of its own, so that all
 * connections share four listeners: four functions for each would cost memory for as long as it lasts.
 */
import type { Duplex } from "node:stream";

/** What is called for what happens on a connection. */
export interface ConnectionHandler {
  handleBytes(chunk: Buffer): void;
  /** The client ended its side of the connection. */
  handleEnd(): void;
  /** The connection failed. It is lost after that. */
  handleFailure(): void;
  /** The connection is lost. @param rest the bytes that it had delivered to nobody, because it was paused */
  handleLoss(rest: unknown): void;
}

const kHandler = Symbol("WebSocket");

interface Carrier extends Duplex {
  [kHandler]: ConnectionHandler;
}

/** Has a handler called for what happens on a connection. */
export function listenToConnection(connection: Duplex, handler: ConnectionHandler): void {
  Object.assign(connection, { [kHandler]: handler });
  connection.on("close", onClose);
  connection.on("data", onData);
  connection.on("end", onEnd);
  connection.on("error", onError);
}

/** Whether a handler listens to a connection already. */
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
