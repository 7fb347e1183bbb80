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
import { answerHandshakes } from "./upgrade.ts";
import { NodeVisitor } from "./visitor.ts";

export async function listen(service: Mounted, { port, hostname, tls }: Address): Promise<Listener> {
  const engine = service.settings.engine === "native" ? createNativeEngine(service) : createEngineIo(service);
  service.engine.attachDriver(engine);
  const classes = { IncomingMessage: UpgradableMessage, ServerResponse: PageResponse };
  const server = tls ? createHttpsServer({ ...tls, ...classes }) : createHttpServer(classes);
  const connections = new Connections(server);
  answerRequests(server, service, engine, connections);
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
  connections: Connections,
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
