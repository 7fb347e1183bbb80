/**
 * Listens with Deno.serve.
 */
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { createHandler } from "./handler.ts";

export async function listen(service: Mounted, { port, hostname, tls }: Address): Promise<Listener> {
  const { fetch, authorSockets } = createHandler(service, tls ? "https" : "http");
  let giveUp: () => void = () => {};
  const givenUp = new Promise<void>((resolve) => {
    giveUp = resolve;
  });

  const server = Deno.serve({ port, hostname, ...tls, onListen() {}, handler: fetch });
  return {
    port: server.addr.port,
    async close() {
      const stopped = server.shutdown();
      for (const socket of authorSockets) socket.close(1001);
      await Promise.race([stopped, givenUp]);
    },
    // Deno drops no connection whose request is under way: it ends with the process.
    terminate: giveUp,
  };
}
