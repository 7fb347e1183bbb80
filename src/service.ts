/**
 * createService(): one Hono app and one Socket.IO server as one service. The one place where the parts meet.
 */
import type { Context, Handler, Hono } from "hono";
import { cors } from "hono/cors";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type DefaultEventsMap, Namespace, Server, type Socket } from "socket.io";
import type { Answer } from "./engine/polling.ts";
import { ServiceApp } from "./http/app.ts";
import { bundle } from "./http/bundle.ts";
import { Forwarded } from "./http/forwarded.ts";
import { Hosts } from "./http/hosts.ts";
import { Origins } from "./http/origins.ts";
import { page } from "./http/page/index.ts";
import { type Visitor, visitorOf } from "./http/visitor.ts";
import { PublishingAdapter } from "./realtime/adapter.ts";
import { chat } from "./realtime/chat.ts";
import { Engine, type Handshake } from "./realtime/engine.ts";
import { fastParser } from "./realtime/parser.ts";
import type { Bindings, Mounted, Runtime, Servable } from "./runtime.ts";
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

/** What is under Socket.IO unless the author says otherwise. With connection state recovery it has an adapter of its own. */
const fastPathsOf = ({ fastPaths, socketio }: Settings): SocketIoOptions => ({
  ...(fastPaths && { parser: fastParser }),
  ...(fastPaths && !socketio.connectionStateRecovery && { adapter: PublishingAdapter }),
});

/** A handshake whose address is asked for when somebody looks: most requests open no session. */
class Admission implements Handshake {
  readonly variables: Handshake["variables"];
  readonly #visitor: Visitor;
  readonly #forwarded: Forwarded;
  #address: string | undefined;

  constructor(visitor: Visitor, forwarded: Forwarded, variables: Handshake["variables"] = {}) {
    this.variables = variables;
    this.#visitor = visitor;
    this.#forwarded = forwarded;
  }

  get address(): string | undefined {
    return (this.#address ??= this.#forwarded.address(this.#visitor));
  }
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
  const forwarded = new Forwarded(settings);
  const origins = new Origins(settings, forwarded);

  const io: Io = new Server({ ...fastPathsOf(settings), ...settings.socketio }); // which adds to its options
  const engine = new Engine();
  io.bind(engine);

  const hosts = new Hosts(settings, forwarded);
  const app = new ServiceApp<ServiceEnv<Io>>(hosts, (c) => c.set("io", io));

  const sockets: Handler = async (c) => {
    const refusal = await origins.refusal(c);
    if (refusal) return refusal;
    const { io: _, ...variables } = c.var;
    return reply(c, await engine.handle(c, new Admission(visitorOf(c.req.raw, c.env), forwarded, variables)));
  };

  let routed = false;
  const mount = (runtime: Runtime): Mounted => {
    if (engine.attached) throw new Error("This service is being served already: close it first");
    const bindings = { hinoko: { runtime, getConnInfo: forwarded.connInfo } };
    if (!routed) routeLast(runtime);
    routed = true;
    return { settings, engine, bindings, fetch: app.fetch, goesStraight, admit };
  };

  const path = io.path();
  /** Whether the Socket.IO route is all that requests of a method meet. The router takes no more routes by then. */
  const standsAlone = new Map<string, boolean>();
  const beginning = `${path}/?`;

  const goesStraight = (method: string, target: string): boolean => {
    if (!settings.fastPaths || !engine.isOpen || !target.startsWith(beginning)) return false;
    if (method !== "GET" && method !== "POST") return false;
    const isAlone = standsAlone.get(method) ?? app.onlyHandler(method, `${path}/`) === sockets;
    standsAlone.set(method, isAlone);
    return isAlone;
  };

  const admit = (visitor: Visitor): Handshake | undefined =>
    hosts.accepts(visitor) && origins.acceptsAtOnce(visitor) ? new Admission(visitor, forwarded) : undefined;

  /** Adds the routes over which an author's own route for the same path takes precedence. */
  function routeLast(runtime: Runtime): void {
    if (io.serveClient()) {
      const origin = async (origin: string, c: Context) =>
        origin && (await origins.accepts(origin, visitorOf(c.req.raw, c.env))) ? origin : null;
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
