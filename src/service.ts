/**
 * createService(): one Hono app and one Socket.IO server as one service. The one place where the parts meet.
 */
import type { Context, Handler, Hono } from "hono";
import { cors } from "hono/cors";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type DefaultEventsMap, Server, type Socket } from "socket.io";
import { demo } from "./demo/index.ts";
import type { Answer } from "./engine/answer.ts";
import { Engine } from "./engine/engine.ts";
import { ServiceApp } from "./http/app.ts";
import { createClientRoutes } from "./http/bundle.ts";
import { Forwarded, VisitingOpener } from "./http/forwarded.ts";
import { Hosts } from "./http/hosts.ts";
import { Origins } from "./http/origins.ts";
import { visitorOf } from "./http/visitor.ts";
import { RouteSockets } from "./http/websocket-routes.ts";
import { PublishingAdapter } from "./realtime/adapter.ts";
import { createParser } from "./realtime/parser.ts";
import { RecoveringAdapter } from "./realtime/recovery.ts";
import type { Bindings, Mounted, Runtime } from "./runtime.ts";
import type { Servable } from "./serve.ts";
import { readSettings, type ServiceOptions, type Settings, type SocketIoOptions } from "./settings.ts";

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

const isStatus = (status: number): status is ContentfulStatusCode => status >= 200 && status <= 599;

/** The engine's answer, with the headers that middleware has set so far; its cookies are beside theirs. */
function reply(c: Context, { status, headers, body }: Answer): Response {
  const fields: Answer["headers"] = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() !== "set-cookie") fields[name] = value;
    else for (const cookie of [value].flat()) c.header(name, cookie, { append: true });
  }
  const known = isStatus(status) ? status : 500;
  return body ? c.body(body, known, fields) : c.body(null, known, fields);
}

/** What is under Socket.IO unless the author says otherwise. */
function defaultsOf(settings: Settings): SocketIoOptions {
  const parser: unknown = createParser(settings);
  if (settings.socketio.connectionStateRecovery) return { parser, adapter: RecoveringAdapter };
  return settings.fastPaths ? { parser, adapter: PublishingAdapter } : { parser };
}

/** An option that is there and undefined is none. */
const given = (options: SocketIoOptions): SocketIoOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

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
  const forwarded = new Forwarded(settings);
  const origins = new Origins(settings, forwarded);

  const io: Io = new Server({ ...defaultsOf(settings), ...given(settings.socketio) }); // which adds to its options
  const engine = new Engine();
  io.bind(engine);

  const hosts = new Hosts(settings, forwarded);
  const app = new ServiceApp<ServiceEnv<Io>>(hosts, (c) => c.set("io", io));

  const sockets: Handler = async (c) => {
    const refusal = await origins.checkOrigin(c);
    if (refusal) return refusal;
    const { io: _, ...variables } = c.var;
    const opener = new VisitingOpener(visitorOf(c.req.raw, c.env), forwarded, variables);
    return reply(c, await engine.handle(c, opener));
  };

  let isRouted = false;
  const mount = (runtime: Runtime): Mounted => {
    engine.reserve();
    if (!isRouted) routeLast(runtime);
    isRouted = true;
    const routes = new RouteSockets(settings.socketio.maxHttpBufferSize ?? 1_000_000, settings.logger);
    const binding = { runtime, getConnInfo: forwarded.getConnInfo, routes };
    const { fetch } = app;
    return { settings, engine, binding, fetch, admitDirectly, closeRoutes: () => routes.close() };
  };

  const path = io.path();
  const targetStart = `${path}/?`;
  /** Whether the Socket.IO route is all that requests of a method meet. Once a request has come, Hono takes no more routes. */
  const isAlone = new Map<string, boolean>();
  const canBypassChain = (method: string): boolean => {
    const known = isAlone.get(method);
    if (known !== undefined) return known;
    const found = app.findOnlyHandler(method, `${path}/`) === sockets;
    isAlone.set(method, found);
    return found;
  };

  const admitDirectly: Mounted["admitDirectly"] = (method, target, visitor) => {
    if (!settings.fastPaths || !engine.isOpen || !target.startsWith(targetStart)) return undefined;
    if ((method !== "GET" && method !== "POST") || !canBypassChain(method)) return undefined;
    const isAccepted = hosts.isAccepted(visitor) && origins.isAcceptedAtOnce(visitor);
    return isAccepted ? new VisitingOpener(visitor, forwarded) : undefined;
  };

  /** Adds the routes over which an author's own route for the same path takes precedence. */
  function routeLast(runtime: Runtime): void {
    if (io.serveClient()) {
      const origin = async (origin: string, c: Context) =>
        origin && (await origins.isAccepted(origin, visitorOf(c.req.raw, c.env))) ? origin : null;
      app.route("/", createClientRoutes(path, cors({ origin }), settings.logger));
    }
    if (settings.chat) app.route("/", demo(io, runtime));
    app.all(`${path}/*`, sockets);
  }

  return { app, io, sockets, settings, mount };
}
