/**
 * @socket.io/bun-engine behind the request pipeline: it keeps the sessions that the pipeline admits. It is asked with
 * requests of our own, by the ids that it gave.
 */
import { Server, type WebSocketData } from "@socket.io/bun-engine";
import { readText } from "../../src/engine/body.ts";
import type { Exchange } from "../../src/engine/exchange.ts";
import { type EngineOptions, readOptions } from "../../src/engine/options.ts";
import { type Opening, Pipeline } from "../../src/engine/pipeline.ts";
import { type Answer, empty } from "../../src/engine/polling.ts";
import type { Engine } from "../../src/realtime/engine.ts";
import type { Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { Link, type Transport } from "./link.ts";
import type { EngineBinding, MakeHandshake } from "./listen.ts";
import type { BunEnv } from "./route.ts";
import { type BunSocket, Session } from "./session.ts";

type BunServer = Bun.Server<unknown>;

class BunEngine extends Pipeline<Session, MakeHandshake, BunEnv> {
  readonly #server: Server;
  /** What takes the socket that bun-engine opens for a request. */
  readonly #openers = new WeakMap<Request, (socket: BunSocket) => void>();

  constructor(engine: Engine, options: EngineOptions) {
    super(engine, options);
    const { pingInterval, pingTimeout, upgradeTimeout, maxHttpBufferSize } = options;
    this.#server = new Server({ pingInterval, pingTimeout, upgradeTimeout, maxHttpBufferSize });
    this.#server.on("connection", (socket, request) => this.#openers.get(request)?.(socket));
  }

  protected async open({ env }: Exchange<BunEnv>, opening: Opening): Promise<Answer> {
    const request = ask("polling");
    let session: Session | undefined;
    this.#openers.set(request, (socket) => {
      session = this.#create(socket, opening);
    });
    await this.#server.handleRequest(
      request,
      upgrading(env.server, () => false),
    );
    if (!session) return empty(500);
    this.engine.open(session, opening.handshake);
    return session.greet();
  }

  #create(socket: BunSocket, opening: Opening): Session {
    const session = new Session(socket, opening, { server: this.engine, options: this.options });
    this.keep(session);
    return session;
  }

  protected pass(exchange: Exchange<BunEnv>, session: Session): Answer | Promise<Answer> {
    const { innerId } = session;
    const { env, raw, method } = exchange;
    const pass = (init: RequestInit) =>
      this.#server.handleRequest(
        ask("polling", innerId, init),
        upgrading(env.server, () => false),
      );
    if (method === "GET") {
      env.server.timeout(raw, 0); // a long poll is silent for longer than Bun waits
      return session.poll(raw.signal, pass);
    }
    if (method !== "POST") return empty(500);
    const text = () => readText(exchange.body, this.options.maxHttpBufferSize);
    return session.receive({ type: exchange.header("content-type"), text }, pass);
  }

  protected opener(opening: Opening): MakeHandshake {
    return async (original, server, headers) => {
      if (this.isClosed) return reject(original, server, headers);
      const request = ask("websocket");
      let link: Link | undefined;
      this.#openers.set(request, (socket) => {
        const session = this.#create(socket, opening);
        if (link) session.begin(link);
        this.engine.open(session, opening.handshake);
      });
      const make = (transport: Transport) => {
        link = new Link(transport);
        return server.upgrade(original, { headers, data: link });
      };
      return (await this.#server.handleRequest(request, upgrading(server, make))).ok;
    };
  }

  protected upgrader(session: Session): MakeHandshake {
    return async (original, server, headers) => {
      // A session that was upgraded or closed meanwhile, or is being upgraded, takes no other transport.
      if (!session.upgradable) return reject(original, server, headers);
      const make = (transport: Transport) => {
        const link = new Link(transport);
        const isMade = server.upgrade(original, { headers, data: link });
        if (isMade) session.upgrade(link);
        return isMade;
      };
      const answer = await this.#server.handleRequest(
        ask("websocket", session.innerId),
        upgrading(server, make),
      );
      return answer.ok;
    };
  }
}

/** Makes a handshake whose WebSocket has no use any more: it is closed at once, as by engine.io. */
const reject: MakeHandshake = (original, server, headers) =>
  server.upgrade(original, { headers, data: new Link() });

/** A request as bun-engine reads it. */
function ask(transport: "polling" | "websocket", sid?: string, init?: RequestInit): Request {
  const url = `http://localhost/?EIO=4&transport=${transport}`;
  const request = new Request(sid === undefined ? url : `${url}&sid=${sid}`, init);
  if (transport === "websocket") request.headers.set("upgrade", "websocket");
  return request;
}

/** Bun's server as bun-engine uses it: it would upgrade the request that it is asked with, which is not the client's. */
function upgrading(server: BunServer, upgrade: (transport: Transport) => boolean): Bun.Server<WebSocketData> {
  const value = (_: Request, { data }: { data: WebSocketData }) => upgrade(data.transport);
  return Object.create(server, { upgrade: { value } });
}

/** Makes the engine of a service. */
export function bindBunEngine({ engine, settings }: Mounted): EngineBinding {
  const options = readOptions(settings.socketio, commands.bun.name);
  const driver = new BunEngine(engine, options);
  return {
    driver,
    maxSize: options.maxHttpBufferSize,
    handshakeOf: (env) => driver.upgradeOf(env),
  };
}
