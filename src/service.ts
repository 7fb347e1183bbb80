/**
 * createService(): one Hono app and one Socket.IO server as one service. The one place where the parts meet.
 */
import type { Context, Handler } from "hono";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { type DefaultEventsMap, Namespace, Server, type Socket } from "socket.io";
import { bundle } from "./http/bundle.ts";
import { Forwarded } from "./http/forwarded.ts";
import { hostGuard } from "./http/hosts.ts";
import { Origins } from "./http/origins.ts";
import { page } from "./http/page/index.ts";
import { pageHeaders } from "./http/pages.ts";
import { PublishingAdapter } from "./realtime/adapter.ts";
import { chat } from "./realtime/chat.ts";
import { Engine } from "./realtime/engine.ts";
import { fastParser } from "./realtime/parser.ts";
import type { Bindings, Mounted, Runtime, Servable } from "./runtime.ts";
import { readSettings, type ServiceOptions, type Settings } from "./settings.ts";

/** A map of events, as socket.io types them: names to the listeners' functions. */
type Events<Map> = { [Name in keyof Map]: (...args: never[]) => void };

/** The Hono environment of a service: `c.var.io` is its Socket.IO server. */
export interface ServiceEnv<Io = Server> {
  Bindings: Bindings;
  Variables: { io: Io };
}

/** One Hono app and one Socket.IO server. `serve()` of a launcher (`hinoko/node`, `/bun`, `/deno`) runs it. */
export interface Service<
  ClientEvents extends Events<ClientEvents> = DefaultEventsMap,
  ServerEvents extends Events<ServerEvents> = ClientEvents,
  InterServerEvents extends Events<InterServerEvents> = DefaultEventsMap,
  SocketData = Socket["data"],
> extends Servable {
  /** A plain Hono app. The guards are in it already; Socket.IO is mounted behind the author's routes. */
  readonly app: Hono<ServiceEnv<Server<ClientEvents, ServerEvents, InterServerEvents, SocketData>>>;
  /** A plain Socket.IO server. */
  readonly io: Server<ClientEvents, ServerEvents, InterServerEvents, SocketData>;
  /** The Socket.IO route, for an author who wants it in another place: `app.all("/socket.io/*", service.sockets)`. */
  readonly sockets: Handler;
  readonly settings: Settings;
}

/** An author's module for `hinoko runserver --app FILE`: its default export gets the service before it is served. */
export type App = (service: Service) => void | Promise<void>;

/**
 * Creates a service. It serves nothing yet: `serve(service)` of a launcher does.
 * @throws {SettingsError} when an option, or the environment, has a value that cannot be used
 */
export function createService<
  ClientEvents extends Events<ClientEvents> = DefaultEventsMap,
  ServerEvents extends Events<ServerEvents> = ClientEvents,
  InterServerEvents extends Events<InterServerEvents> = DefaultEventsMap,
  SocketData = Socket["data"],
>(options?: ServiceOptions): Service<ClientEvents, ServerEvents, InterServerEvents, SocketData> {
  type Io = Server<ClientEvents, ServerEvents, InterServerEvents, SocketData>;
  const settings = readSettings(options);
  const forwarded = new Forwarded(settings.trustProxy);
  const origins = new Origins(settings, forwarded);

  // With connection state recovery Socket.IO has an adapter of its own.
  const adapter = settings.socketio.connectionStateRecovery ? {} : { adapter: PublishingAdapter };
  const fast = settings.fastPaths ? { parser: fastParser, ...adapter } : {};
  const io: Io = new Server({ ...fast, ...settings.socketio }); // which adds to its options
  const engine = new Engine();
  io.bind(engine);

  const app = new Hono<ServiceEnv<Io>>();
  app.use((c, next) => {
    c.set("io", io);
    return next();
  });
  app.use(hostGuard(settings, forwarded));
  app.use(pageHeaders);

  const sockets: Handler = async (c) => {
    const refusal = await origins.refusal(c);
    if (refusal) return refusal;
    // Reading `c.res` makes Hono merge the headers that middleware set before `next()` into the engine's own Response.
    void c.res;
    const { io: _, ...variables } = c.var;
    const answer = await engine.handle(c, { address: forwarded.connInfo(c).remote.address, variables });
    // In that merge, the cookies that middleware set would replace those of the engine.
    for (const cookie of answer.headers.getSetCookie()) {
      if (!c.res.headers.getSetCookie().includes(cookie)) c.header("Set-Cookie", cookie, { append: true });
    }
    return answer;
  };

  let routed = false;
  const mount = (runtime: Runtime): Mounted => {
    if (engine.attached) throw new Error("This service is being served already: close it first");
    const bindings = { hinoko: { runtime, getConnInfo: forwarded.connInfo } };
    if (!routed) routeLast(runtime);
    routed = true;
    return { settings, engine, bindings, fetch: app.fetch };
  };

  /** Adds the routes over which an author's own route for the same path takes precedence. */
  function routeLast(runtime: Runtime): void {
    const path = io.path();
    if (io.serveClient()) {
      const origin = async (origin: string, c: Context) =>
        (await origins.accepts(origin, c)) ? origin : null;
      app.route("/", bundle(path, cors({ origin })));
    }
    if (settings.chat) {
      const namespace: unknown = io.of("/chat");
      // The chat has events of its own, which an author's types do not know of.
      if (namespace instanceof Namespace) chat(namespace);
      app.route("/", page({ runtime: () => runtime, socketPath: path }));
    }
    app.all(`${path}/*`, sockets);
  }

  return { app, io, sockets, settings, mount };
}
