/**
 * Listens on Node with Node's own HTTP server. @hono/node-server turns its requests into Requests for the Hono chain.
 */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { getRequestListener, RequestError } from "@hono/node-server";
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { Connections, type NodeServer } from "./connections.ts";
import type { NodeEngine } from "./engine.ts";
import { createEngineIo } from "./engines/engine-io/engine.ts";
import { createNativeEngine } from "./engines/native.ts";
import { leaveHostToGuard } from "./host.ts";
import { UpgradableMessage } from "./incoming.ts";
import { PageResponse } from "./page-response.ts";
import { SilentBodies } from "./silent-bodies.ts";
import { answerHandshakes } from "./upgrade.ts";
import { NodeVisitor } from "./visitor.ts";

/** Stands for no limit in `handshakeTimeout`, where Node takes 0 for its own default: a day, in milliseconds. */
const LONGEST_TIMEOUT = 24 * 60 * 60 * 1000;

export async function listen(service: Mounted, { port, hostname, tls }: Address): Promise<Listener> {
  const engine = service.settings.engine === "native" ? createNativeEngine(service) : createEngineIo(service);
  service.engine.attachDriver(engine);
  const { headersTimeout, bodyTimeout } = service.settings;
  const options = {
    IncomingMessage: UpgradableMessage,
    ServerResponse: PageResponse,
    headersTimeout,
    requestTimeout: 0, // would cut off uploads that are slow but steady; SilentBodies does not
    connectionsCheckingInterval: Math.min(1000, headersTimeout || 1000),
  };
  const server = tls
    ? createHttpsServer({ ...tls, ...options, handshakeTimeout: headersTimeout || LONGEST_TIMEOUT })
    : createHttpServer(options);
  const connections = new Connections(server);
  const bodies = new SilentBodies(bodyTimeout);
  answerRequests(server, service, engine, { connections, bodies });
  answerHandshakes(server, service, engine);

  server.listen(port, hostname);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    async close() {
      const closed = once(server, "close");
      server.close();
      connections.dropSilent();
      // A kept-alive connection with a request under way becomes idle only when that is answered, so look again and
      // again.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      await closed;
      clearInterval(sweep);
    },
    terminate() {
      server.closeAllConnections();
      connections.dropUpgraded();
    },
  };
}

/** Answers the requests of a server: directly by the engine where that is allowed, otherwise through the Hono chain. */
function answerRequests(
  server: NodeServer,
  service: Mounted,
  engine: NodeEngine,
  { connections, bodies }: { connections: Connections; bodies: SilentBodies },
): void {
  const hinoko = service.binding;
  const runChain = getRequestListener(
    (request, { incoming, outgoing }) => {
      const env = { incoming, outgoing, hinoko };
      return service.fetch(request, env);
    },
    {
      // Answers a request whose error Hono's error handler did not catch.
      errorHandler(error) {
        if (error instanceof RequestError) return new Response("Bad Request", { status: 400 });
        service.settings.logger.error(error);
        return new Response("Internal Server Error", { status: 500 });
      },
    },
  );

  server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    connections.markUsed(incoming);
    bodies.watch(incoming, outgoing);
    const { method = "", url = "" } = incoming;
    const opener = engine.serveDirectly
      ? service.admitDirectly(method, url, new NodeVisitor(incoming))
      : undefined;
    if (opener) {
      if (outgoing instanceof PageResponse) outgoing.canBePage = false;
      engine.serveDirectly?.(incoming, outgoing, opener);
    } else {
      leaveHostToGuard(incoming);
      runChain(incoming, outgoing).catch((error: unknown) => {
        // The answer could not be written: a header that is not Latin-1, for example.
        service.settings.logger.error(error);
        outgoing.destroy();
      });
    }
  });
}
