/**
 * Types for what the tests use of the older clients: version 2 has no types, and version 3 does not export its own.
 */
declare module "socket.io-client-2" {
  export interface Socket {
    readonly connected: boolean;
    readonly io: {
      readonly engine: {
        readonly transport: { readonly name: string };
      };
    };
    on(event: string, listener: (...args: unknown[]) => void): this;
    once(event: string, listener: (...args: unknown[]) => void): this;
    emit(event: string, ...args: unknown[]): this;
    disconnect(): this;
  }
  export default function io(url: string, options: object): Socket;
}

declare module "socket.io-client-3" {
  export { default, type Socket } from "socket.io-client-2";
}
