/**
 * createService(): makes one service of a Hono app and a Socket.IO server. It is the one place where the guards, the
 * engine, Socket.IO and the demo are put together.
 */
import type { Context, Handler, Hono } from "hono";
import { cors } from "hono/cors";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { DefaultEventsMap, Server, Socket } from "socket.io";
import { demo } from "./demo/index.ts";
import type { Answer } from "./engine/answer.ts";
import { Engine } from "./engine/engine.ts";
import { isHandshake, isWellFormed, malformedAnswer } from "./engine/handshake.ts";
import { readMaxSize } from "./engine/options.ts";
import type { AsyncApiOptions } from "./events/asyncapi.ts";
import type { EventContract } from "./events/define.ts";
import type { ContractServer } from "./events/io.ts";
import { createEventRoutes } from "./events/routes.ts";
import { createRules } from "./events/rules.ts";
import { ServiceApp } from "./http/app.ts";
import { createClientRoutes } from "./http/bundle.ts";
import { Forwarded, VisitingOpener } from "./http/forwarded.ts";
import { Hosts } from "./http/hosts.ts";
import { Origins } from "./http/origins.ts";
import { isBodySpent, spentBodyAdvice } from "./http/spent-body.ts";
import { UnreachedWatch } from "./http/unreached.ts";
import { visitorOf } from "./http/visitor.ts";
import { RouteSockets } from "./http/websocket-routes.ts";
import { ContainedServer } from "./operation/containment/server.ts";
import { type ErrorListener, Errors, uncaught } from "./operation/errors.ts";
import { PublishingAdapter } from "./realtime/adapter.ts";
import { NamespaceLimit } from "./realtime/namespaces.ts";
import { createParser } from "./realtime/parser.ts";
import { RecoveringAdapter } from "./realtime/recovery.ts";
import { type Events, RoutedServer } from "./realtime/server.ts";
import type { Bindings, Mounted, Runtime } from "./runtime.ts";
import type { Servable } from "./serve.ts";
import { readSettings, type ServiceOptions, type Settings, type SocketIoOptions } from "./settings.ts";

/** The Hono environment of a service: `c.var.io` is its Socket.IO server. */
export interface ServiceEnv<Io = Server> {
  Bindings: Bindings;
  Variables: { io: Io };
}

/** One Hono app and one Socket.IO server. The `serve()` of a launcher (`hinoko/node`, `/bun`, `/deno`) runs them. */
export interface Service<
  ClientEvents extends Events<ClientEvents> = DefaultEventsMap,
  ServerEvents extends Events<ServerEvents> = ClientEvents,
  InterServerEvents extends Events<InterServerEvents> = DefaultEventsMap,
  SocketData = Socket["data"],
  Io extends Servable["io"] = Server<ClientEvents, ServerEvents, InterServerEvents, SocketData>,
> extends Servable {
  /** A plain Hono app. It has the guards already; `serve()` mounts Socket.IO behind the author's routes. */
  readonly app: Hono<ServiceEnv<Io>>;
  /** A plain Socket.IO server. */
  readonly io: Io;
  /** The Socket.IO route, for an author who wants it in another place: `app.all("/socket.io/*", service.sockets)`. */
  readonly sockets: Handler;
  readonly settings: Settings;
  /**
   * Has a function hear of each error of an author's function that Socket.IO, or a WebSocket route, has called. The error
   * is logged all the same. Errors of Hono's handlers are for `app.onError()`.
   */
  readonly onError: (listener: ErrorListener) => void;
}

const isContentfulStatus = (status: number): status is ContentfulStatusCode => status >= 200 && status <= 599;

/**
 * Makes Hono's Response of the engine's answer. It goes through the context, which keeps the headers that middleware
 * has set; cookies are appended, so that the engine's session cookie does not replace a cookie of the author's. The
 * length is left to the launcher: in the context it would stay with another answer that middleware makes after `next()`,
 * or Hono of an error, and cut that off.
 */
function toHonoResponse(c: Context, { status, headers, body }: Answer): Response {
  const fields: Answer["headers"] = {};
  for (const [name, value] of Object.entries(headers)) {
    const field = name.toLowerCase();
    if (field === "set-cookie") for (const cookie of [value].flat()) c.header(name, cookie, { append: true });
    else if (field !== "content-length") fields[name] = value;
  }
  const known = isContentfulStatus(status) ? status : 500;
  return body ? c.body(body, known, fields) : c.body(null, known, fields);
}

/** Chooses the parser and the adapter of Socket.IO for an author who does not set them. */
function chooseDefaults(settings: Settings, namespaces: NamespaceLimit): SocketIoOptions {
  const parser: unknown = createParser(settings, () => namespaces.takeOpening());
  if (settings.socketio.connectionStateRecovery) return { parser, adapter: RecoveringAdapter };
  return settings.fastPaths ? { parser, adapter: PublishingAdapter } : { parser };
}

/** Leaves out the options that are undefined: spread over the defaults, each would replace its default. */
const omitUndefined = (options: SocketIoOptions): SocketIoOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/**
 * The default export of an author's module for `hinoko runserver --app FILE`. It is called with the service, and
 * awaited, before the service is served. If the module exports a contract as `events`, that is the service's.
 */
export type App = (service: Service) => void | Promise<void>;

/** A service with a contract, which types its Socket.IO server. */
export type ContractService<Contract extends EventContract, SocketData = Socket["data"]> = Service<
  DefaultEventsMap,
  DefaultEventsMap,
  DefaultEventsMap,
  SocketData,
  ContractServer<Contract, SocketData>
>;

/** What `createService()` takes with a contract. */
export interface ContractOptions<Contract extends EventContract = EventContract> extends ServiceOptions {
  /** The events of the service, made by `defineEvents()`. They are typed and validated. */
  events: Contract;
  /** The AsyncAPI document at `/asyncapi.json`. */
  asyncapi?: AsyncApiOptions;
}

/**
 * Creates a service: its Hono app and its Socket.IO server. It does not listen yet: the `serve()` of a launcher
 * (`hinoko/node`, `/bun`, `/deno`) does that.
 * @throws {SettingsError} when an option or an environment variable has a value that cannot be used
 */
export function createService<Contract extends EventContract, SocketData = Socket["data"]>(
  options: ContractOptions<Contract>,
): ContractService<Contract, SocketData>;
export function createService<
  ClientEvents extends Events<ClientEvents> = DefaultEventsMap,
  ServerEvents extends Events<ServerEvents> = ClientEvents,
  InterServerEvents extends Events<InterServerEvents> = DefaultEventsMap,
  SocketData = Socket["data"],
>(options?: ServiceOptions): Service<ClientEvents, ServerEvents, InterServerEvents, SocketData>;
export function createService<
  ClientEvents extends Events<ClientEvents> = DefaultEventsMap,
  ServerEvents extends Events<ServerEvents> = ClientEvents,
  InterServerEvents extends Events<InterServerEvents> = DefaultEventsMap,
  SocketData = Socket["data"],
>({
  events,
  asyncapi = {},
  ...options
}: ServiceOptions & Partial<ContractOptions> = {}): Service<
  ClientEvents,
  ServerEvents,
  InterServerEvents,
  SocketData
> {
  type Io = Server<ClientEvents, ServerEvents, InterServerEvents, SocketData>;
  const settings = readSettings(options);
  const errors = new Errors(settings.logger);
  const forwarded = new Forwarded(settings);
  const origins = new Origins(settings, forwarded);

  const socketio = omitUndefined(settings.socketio);
  const namespaces = new NamespaceLimit(settings.maxNamespaces);
  // A copy: Socket.IO adds to the object that it gets.
  const ioOptions = { ...chooseDefaults(settings, namespaces), ...socketio };
  const isContained = settings.errors === "contain";
  const rules = createRules(events ?? {}, !settings.production);
  const io: Io =
    isContained || events
      ? new ContainedServer(ioOptions, isContained ? errors : uncaught, rules)
      : new RoutedServer(ioOptions);
  const engine = new Engine(settings, { ...socketio, path: io.path() });
  if (!socketio.parser) {
    namespaces.watchSessions(engine);
    namespaces.watchSockets(io);
  }
  io.bind(engine);

  const hosts = new Hosts(settings, forwarded);
  const path = io.path();
  const unreached = new UnreachedWatch(path, settings.logger);
  const app = new ServiceApp<ServiceEnv<Io>>(hosts, unreached, (c) => c.set("io", io));

  const sockets: Handler = async (c, next) => {
    // Engine.IO has this one path, and none below it: else requests below it would pass by a middleware for exactly it.
    // The client's files are below it, and have routes of their own.
    if (c.req.path !== `${path}/`) return next();
    if (c.env?.hinoko) unreached.isOver = true;
    const refusal = await origins.checkOrigin(c);
    if (refusal) return refusal;
    // The headers of the Request are not made for this: on Node, that takes longer than all the checks.
    const visitor = visitorOf(c.req.raw, c.env);
    const header = (name: string) => visitor.header(name);
    if (isHandshake(c.req.method, header) && !isWellFormed(header))
      return toHonoResponse(c, malformedAnswer());
    if (isBodySpent(c.req)) {
      settings.logger.error(spentBodyAdvice(c.req.path));
      return c.text("Internal Server Error", 500);
    }
    const { io: _, ...variables } = c.var;
    const opener = new VisitingOpener(visitor, forwarded, variables);
    return toHonoResponse(c, await engine.handle(c, opener));
  };

  let hasLastRoutes = false;
  const mount = (runtime: Runtime): Mounted => {
    engine.reserve();
    try {
      if (!hasLastRoutes) addLastRoutes(runtime);
      hasLastRoutes = true;
    } catch (error) {
      engine.release(); // Hono takes no routes after its first request, for example
      throw error;
    }
    const routes = new RouteSockets(readMaxSize(settings.socketio), (error, name) =>
      errors.report(error, { in: `${name} of a WebSocket route` }),
    );
    const binding = { runtime, getConnInfo: forwarded.getConnInfo, routes };
    const { fetch } = app;
    return { settings, engine, binding, fetch, admitDirectly, closeRoutes: () => routes.close() };
  };

  const targetStart = `${path}/?`;
  /**
   * For each method, whether its requests meet nothing but the Socket.IO route. It is found out once: Hono takes no
   * more routes after its first request.
   */
  const bypassByMethod = new Map<string, boolean>();
  const canBypassChain = (method: string): boolean => {
    const known = bypassByMethod.get(method);
    if (known !== undefined) return known;
    const found = app.findOnlyHandler(method, `${path}/`) === sockets;
    bypassByMethod.set(method, found);
    return found;
  };

  const admitDirectly: Mounted["admitDirectly"] = (method, target, visitor) => {
    if (!settings.fastPaths || !engine.isOpen || !target.startsWith(targetStart)) return undefined;
    if ((method !== "GET" && method !== "POST") || !canBypassChain(method)) return undefined;
    const isAccepted = hosts.isAccepted(visitor) && origins.isAcceptedAtOnce(visitor);
    if (!isAccepted) return undefined;
    unreached.isOver = true;
    return new VisitingOpener(visitor, forwarded);
  };

  /** Adds the routes that come last, so that an author's own route for the same path takes precedence. */
  function addLastRoutes(runtime: Runtime): void {
    if (io.serveClient()) {
      const origin = async (origin: string, c: Context) =>
        origin && (await origins.isAccepted(origin, visitorOf(c.req.raw, c.env))) ? origin : null;
      app.route("/", createClientRoutes(path, cors({ origin }), settings.logger));
    }
    const { serve = !settings.production } = asyncapi;
    const page = { socketPath: path, hasPage: !settings.production };
    if (events && serve) app.route("/", createEventRoutes(events, asyncapi, page));
    if (settings.chat) app.route("/", demo(io, runtime));
    app.all(`${path}/*`, sockets);
  }

  return { app, io, sockets, settings, mount, onError: (listener) => errors.onError(listener) };
}
