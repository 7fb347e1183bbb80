/**
 * The demo at `/`: a chat that shows the service at work. This file is its door: chat.ts has the Socket.IO side,
 * page.ts the page. Nothing of Hinoko depends on it but src/service.ts, which mounts it when the `chat` setting says so.
 */
import type { Hono } from "hono";
import { Namespace, type Server } from "socket.io";
import { chat } from "./chat.ts";
import { page } from "./page.ts";

/** Adds the chat's namespace to a Socket.IO server, and returns the page's routes, to be mounted at the root of an app. */
export function demo(io: Pick<Server, "of" | "path">, runtime: { name: string; version: string }): Hono {
  const namespace: unknown = io.of("/chat");
  // The chat has events of its own, which an author's types do not know of.
  if (namespace instanceof Namespace) chat(namespace);
  return page(runtime, io.path());
}
