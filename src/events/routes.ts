/**
 * The routes of a contract: its AsyncAPI document, and in development a page that lists its events and emits them.
 */
import { Hono } from "hono";
import { type AsyncApiOptions, describeEvents } from "./asyncapi.ts";
import type { EventContract } from "./define.ts";

/**
 * Makes the routes, to be mounted at the root of an app.
 * @param socketPath where Socket.IO answers: "/socket.io"
 */
export function createEventRoutes(
  contract: EventContract,
  options: AsyncApiOptions,
  socketPath: string,
): Hono {
  const app = new Hono();
  app.get("/asyncapi.json", (c) => {
    const { host, protocol } = new URL(c.req.url);
    const server = { host, protocol: protocol === "https:" ? "wss" : "ws", pathname: `${socketPath}/` };
    return c.json(describeEvents(contract, server, options));
  });
  return app;
}
