/**
 * An engine on Bun that keeps its sessions in @socket.io/bun-engine: the setting ENGINE=matching puts it in place of
 * Hinoko's own. The pipeline decides about each request, as it does for Hinoko's engine. What it lets in is passed on
 * to bun-engine in a request of our own, with the id that bun-engine has given the session. Bun has made the handshake
 * of a WebSocket by then.
 *
 * This folder relies on private members of bun-engine 0.1.2. test/members.test.ts lists them, and fails if one is
 * missing.
 */
import { Server, type WebSocketData } from "@socket.io/bun-engine";
import { type Answer, emptyAnswer } from "../../../../src/engine/answer.ts";
import { readText } from "../../../../src/engine/body.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import type { Exchange } from "../../../../src/engine/exchange.ts";
import type { EngineOptions } from "../../../../src/engine/options.ts";
import type { Peer, Upgrade } from "../../../../src/engine/peer.ts";
import { type Opening, Pipeline } from "../../../../src/engine/pipeline.ts";
import type { Logger } from "../../../../src/settings.ts";
import type { BunEnv } from "../../visitor.ts";
import { Link, type Transport } from "./link.ts";
import { type BunEngineSocket, Session } from "./session.ts";

export class MatchingEngine extends Pipeline<Session, BunEnv> {
  readonly #server: Server;
  readonly #logger: Logger;
  /** The function that takes the socket which bun-engine opens for a request. */
  readonly #openers = new WeakMap<Request, (socket: BunEngineSocket) => void>();

  constructor(engine: Engine, options: EngineOptions, logger: Logger) {
    super(engine, options);
    this.#logger = logger;
    const { pingInterval, pingTimeout, upgradeTimeout, maxHttpBufferSize } = options;
    this.#server = new Server({ pingInterval, pingTimeout, upgradeTimeout, maxHttpBufferSize });
    this.#server.on("connection", (socket, request) => this.#openers.get(request)?.(socket));
  }

  protected async openOverPolling({ env }: Exchange<BunEnv>, opening: Opening): Promise<Answer> {
    const request = createRequest("polling");
    let session: Session | undefined;
    this.#openers.set(request, (socket) => {
      session = this.#createSession(socket, opening);
    });
    await this.#server.handleRequest(request, withoutUpgrade(env.server));
    if (!session) return emptyAnswer(500);
    this.engine.open(session, opening.opener);
    return session.createGreeting();
  }

  #createSession(socket: BunEngineSocket, opening: Opening): Session {
    const session = new Session(socket, opening, { server: this.engine, options: this.options });
    this.trackSession(session);
    return session;
  }

  protected answerPolling(exchange: Exchange<BunEnv>, session: Session): Answer | Promise<Answer> {
    const { env, raw, method } = exchange;
    const askBunEngine = (init: RequestInit) =>
      this.#server.handleRequest(
        createRequest("polling", session.bunEngineId, init),
        withoutUpgrade(env.server),
      );
    if (method === "GET") {
      env.server.timeout(raw, 0); // the poll waits for packets, and Bun would close its connection
      return session.answerPoll(raw.signal, askBunEngine);
    }
    if (method !== "POST") return emptyAnswer(500);
    const text = () => readText(exchange.body, this.options.maxHttpBufferSize, this.silence);
    return session.receivePost({ type: exchange.header("content-type"), text }, askBunEngine);
  }

  protected openOverWebSocket(opening: Opening): Upgrade {
    return this.#takePeer((link) => {
      const request = createRequest("websocket");
      this.#openers.set(request, (socket) => {
        const session = this.#createSession(socket, opening);
        session.openOn(link);
        this.engine.open(session, opening.opener);
      });
      return { request, isTaken: () => true };
    });
  }

  protected prepareUpgrade(session: Session): Upgrade {
    return this.#takePeer((link) => ({
      request: createRequest("websocket", session.bunEngineId),
      isTaken: () => {
        // By now the session may be closed, upgraded, or upgrading to another WebSocket.
        if (!session.canUpgrade) return false;
        session.upgrade(link);
        return true;
      },
    }));
  }

  /**
   * Has bun-engine make a transport for an open WebSocket, by a request for a handshake that Bun has made already.
   * @param prepare returns the request, and a function that says whether the session takes the transport
   */
  #takePeer(prepare: (link: Link) => { request: Request; isTaken: () => boolean }): Upgrade {
    return {
      connect: (peer: Peer) => {
        const link = new Link(peer);
        const { request, isTaken } = prepare(link);
        const server = withUpgrade((transport) => {
          link.setTransport(transport);
          return isTaken();
        });
        const makeTransport = async () => {
          const answer = this.isClosed ? undefined : await this.#server.handleRequest(request, server);
          if (answer?.ok) link.deliverEarlyEvents();
          else link.close();
        };
        makeTransport().catch((error: unknown) => {
          // A listener of the author's has thrown, say.
          this.#logger.error(error);
          link.close();
        });
        return link;
      },
    };
  }
}

/** Makes a request with what bun-engine reads of one. */
function createRequest(transport: "polling" | "websocket", sid?: string, init?: RequestInit): Request {
  const url = `http://localhost/?EIO=4&transport=${transport}`;
  const request = new Request(sid === undefined ? url : `${url}&sid=${sid}`, init);
  if (transport === "websocket") request.headers.set("upgrade", "websocket");
  return request;
}

/** The part of Bun's server that bun-engine uses. */
type BunServer = Bun.Server<WebSocketData>;

/**
 * Makes the server that bun-engine asks to make a handshake. The handshake has been made, so this one only takes the
 * transport that bun-engine passes to it.
 */
const withUpgrade = (upgrade: (transport: Transport) => boolean): BunServer =>
  Object.create(null, {
    upgrade: { value: (_: Request, { data }: { data: WebSocketData }) => upgrade(data.transport) },
  });

/** Makes a server that refuses handshakes, for requests over polling. */
const withoutUpgrade = (server: Bun.Server<unknown>): BunServer =>
  Object.create(server, { upgrade: { value: () => false } });
