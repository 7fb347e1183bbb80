/**
 * A TCP proxy in front of a server, which can cut off all connections or stop forwarding. Client and server then see what
 * they see when a network fails.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Proxy {
  /** The address of the server behind it. */
  readonly url: string;
  /** Destroys all connections, at both of their ends, and takes no new ones. */
  drop(): void;
  /** Forwards nothing any more, though all connections stay open. */
  stall(): void;
  /** Takes new connections again, and forwards them. */
  restore(): void;
}

/** Runs a test with a proxy in front of a port, and closes the proxy when the test ends or fails. */
export async function withProxy(port: number, test: (proxy: Proxy) => Promise<void>): Promise<void> {
  const pairs = new Set<[Socket, Socket]>();
  let state: "forwarding" | "silent" | "closed" = "forwarding";

  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("data", (chunk) => state === "forwarding" && to.write(chunk));
      from.on("end", () => state === "forwarding" && to.end());
      from.on("close", () => {
        if (state !== "forwarding") return;
        to.destroy();
        pairs.delete(pair);
      });
    }
    if (state === "closed") destroy();
  });

  const destroy = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  };
  const drop = () => {
    state = "closed";
    destroy();
  };

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port");
  try {
    await test({
      url: `http://127.0.0.1:${address.port}`,
      drop,
      stall() {
        state = "silent";
      },
      restore() {
        state = "forwarding";
      },
    });
  } finally {
    drop();
    server.close();
  }
}
