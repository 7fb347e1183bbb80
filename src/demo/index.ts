/**
 * The demo at `/`: a chat that shows the service at work. chat.ts has the Socket.IO side, page.ts the page. Only
 * src/service.ts imports this file, and mounts the demo if the `chat` setting says so; nothing else depends on it.
 */
import type { Hono } from "hono";
import { Namespace, type Server } from "socket.io";
import { chat } from "./chat.ts";
import { page } from "./page.ts";

/** Adds the chat's namespace to a Socket.IO server, and returns the page's routes, to be mounted at the root of an app. */
export function demo(io: Pick<Server, "of" | "path">, runtime: { name: string; version: string }): Hono {
  const namespace: unknown = io.of("/chat");
  // The author's event types do not include the chat's, so TypeScript must forget them.
  if (namespace instanceof Namespace) chat(namespace);
  return page(runtime, io.path());
}
