/**
 * @socket.io/bun-engine behind the request pipeline (ENGINE=matching): it keeps the sessions that the pipeline lets in.
 * It is asked with requests of our own, by the ids that it gave; handshakes have been made by then.
 *
 * It stands on private members of bun-engine 0.1.2, of which test/members.test.ts has the list.
 */
import { Server, type WebSocketData } from "@socket.io/bun-engine";
import { type Answer, emptyAnswer } from "../../../../src/engine/answer.ts";
import { readText } from "../../../../src/engine/body.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import type { Exchange } from "../../../../src/engine/exchange.ts";
import type { EngineOptions } from "../../../../src/engine/options.ts";
import type { Peer, Upgrade } from "../../../../src/engine/peer.ts";
import { type Opening, Pipeline } from "../../../../src/engine/pipeline.ts";
import type { BunEnv } from "../../visitor.ts";
import { Link, type Transport } from "./link.ts";
import { type BunEngineSocket, Session } from "./session.ts";

export class MatchingEngine extends Pipeline<Session, BunEnv> {
  readonly #server: Server;
  /** What takes the socket that bun-engine opens for a request. */
  readonly #openers = new WeakMap<Request, (socket: BunEngineSocket) => void>();

  constructor(engine: Engine, options: EngineOptions) {
    super(engine, options);
    const { pingInterval, pingTimeout, upgradeTimeout, maxHttpBufferSize } = options;
    this.#server = new Server({ pingInterval, pingTimeout, upgradeTimeout, maxHttpBufferSize });
    this.#server.on("connection", (socket, request) => this.#openers.get(request)?.(socket));
  }

  protected async openOverPolling({ env }: Exchange<BunEnv>, opening: Opening): Promise<Answer> {
    const request = createRequest("polling");
    let session: Session | undefined;
    this.#openers.set(request, (socket) => {
      session = this.#create(socket, opening);
    });
    await this.#server.handleRequest(request, withoutUpgrade(env.server));
    if (!session) return emptyAnswer(500);
    this.engine.open(session, opening.opener);
    return session.greet();
  }

  #create(socket: BunEngineSocket, opening: Opening): Session {
    const session = new Session(socket, opening, { server: this.engine, options: this.options });
    this.trackSession(session);
    return session;
  }

  protected answerPolling(exchange: Exchange<BunEnv>, session: Session): Answer | Promise<Answer> {
    const { env, raw, method } = exchange;
    const ask = (init: RequestInit) =>
      this.#server.handleRequest(createRequest("polling", session.innerId, init), withoutUpgrade(env.server));
    if (method === "GET") {
      env.server.timeout(raw, 0); // a long poll is silent for longer than Bun waits
      return session.poll(raw.signal, ask);
    }
    if (method !== "POST") return emptyAnswer(500);
    const text = () => readText(exchange.body, this.options.maxHttpBufferSize);
    return session.receive({ type: exchange.header("content-type"), text }, ask);
  }

  protected openOverWebSocket(opening: Opening): Upgrade {
    return this.#takePeer((link) => {
      const request = createRequest("websocket");
      this.#openers.set(request, (socket) => {
        const session = this.#create(socket, opening);
        session.begin(link);
        this.engine.open(session, opening.opener);
      });
      return { request, isTaken: () => true };
    });
  }

  protected prepareUpgrade(session: Session): Upgrade {
    return this.#takePeer((link) => ({
      request: createRequest("websocket", session.innerId),
      isTaken: () => {
        // A session that was upgraded or closed meanwhile, or is being upgraded, takes no other transport.
        if (!session.canUpgrade) return false;
        session.upgrade(link);
        return true;
      },
    }));
  }

  /** Has bun-engine make a transport for an open WebSocket, as if it made the handshake now. */
  #takePeer(prepare: (link: Link) => { request: Request; isTaken: () => boolean }): Upgrade {
    return {
      connect: (peer: Peer) => {
        const link = new Link(peer);
        const { request, isTaken } = prepare(link);
        const server = withUpgrade((transport) => {
          link.use(transport);
          return isTaken();
        });
        const ask = async () => {
          const answer = this.isClosed ? undefined : await this.#server.handleRequest(request, server);
          if (answer?.ok) link.deliverEarly();
          else link.close();
        };
        void ask();
        return link;
      },
    };
  }
}

/** A request as bun-engine reads it. */
function createRequest(transport: "polling" | "websocket", sid?: string, init?: RequestInit): Request {
  const url = `http://localhost/?EIO=4&transport=${transport}`;
  const request = new Request(sid === undefined ? url : `${url}&sid=${sid}`, init);
  if (transport === "websocket") request.headers.set("upgrade", "websocket");
  return request;
}

/** The part of Bun's server that bun-engine uses. */
type BunServer = Bun.Server<WebSocketData>;

/** bun-engine asks a server to make its handshakes. Ours are made already; it only has to tell its transport. */
const withUpgrade = (upgrade: (transport: Transport) => boolean): BunServer =>
  Object.create(null, {
    upgrade: { value: (_: Request, { data }: { data: WebSocketData }) => upgrade(data.transport) },
  });

const withoutUpgrade = (server: Bun.Server<unknown>): BunServer =>
  Object.create(server, { upgrade: { value: () => false } });
