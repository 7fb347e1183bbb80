/**
 * The Socket.IO server of a service: Socket.IO's own, except for its ways to be served without Hono. These would pass by
 * the guards and the author's middleware, so they throw and say what to do instead.
 */
import { type DefaultEventsMap, Server, type Socket } from "socket.io";

/** A map from the names of events to the types of their listeners, as socket.io types them. */
export type Events<Map> = { [Name in keyof Map]: (...args: never[]) => void };

const refuse = (method: string, instead: string) =>
  new TypeError(`io.${method}() is not available in a service: ${instead}`);

export class RoutedServer<
  ClientEvents extends Events<ClientEvents> = DefaultEventsMap,
  ServerEvents extends Events<ServerEvents> = ClientEvents,
  InterServerEvents extends Events<InterServerEvents> = DefaultEventsMap,
  SocketData = Socket["data"],
> extends Server<ClientEvents, ServerEvents, InterServerEvents, SocketData> {
  /** @throws {TypeError} always */
  override listen(): never {
    throw refuse("listen", "serve(service, { port }) listens");
  }

  /** @throws {TypeError} always */
  override attach(): never {
    throw refuse("attach", "serve(service) makes Socket.IO a route of service.app");
  }

  /** @throws {TypeError} always */
  override attachApp(): never {
    throw refuse("attachApp", "serve(service) makes Socket.IO a route of service.app");
  }

  /**
   * Binds this server to `io.engine`, which `createService()` does.
   * @throws {TypeError} for a second engine
   */
  override bind(engine: object): this {
    if (this.engine) throw refuse("bind", "it has an engine; the setting `engine` chooses another");
    Object.assign(this, { eio: engine }); // the name in Socket.IO 2, under which Socket.IO still keeps it too
    return super.bind(engine);
  }
}
