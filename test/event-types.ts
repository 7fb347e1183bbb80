/**
 * What the types of a contract let pass, and what they do not. TypeScript checks this file; nothing runs it.
 */
import { type Socket as ClientSocket, io } from "socket.io-client";
import * as v from "valibot";
import { serve } from "../runtimes/node.ts";
import type { ClientOf, ClientToServer, ServerToClient } from "../src/events/index.ts";
import { createService, defineEvents, type Service } from "../src/index.ts";
import { events } from "./support/contract.ts";

/** Whether two types are the same, and not `any`. */
type Same<A, B> = 0 extends 1 & A ? false : [A, B] extends [B, A] ? true : false;
declare function expectSame<A, B>(isSame: Same<A, B>): void;

export function server(): void {
  const service = createService({ events, allowedHosts: "*" });
  service.io.on("connection", (socket) => {
    socket.on("say", async ({ text }) => {
      expectSame<typeof text, string>(true);
      socket.broadcast.emit("said", { id: 1, text });
      return { id: 1 };
    });
    socket.on("say", () => ({ id: 1 }));
    // @ts-expect-error: the acknowledgement has a number
    socket.on("say", () => ({ id: "1" }));
    // @ts-expect-error: nothing is returned, but the event has an acknowledgement
    socket.on("say", () => {});
    socket.on("at", (date) => expectSame<typeof date, Date>(true));
    socket.on("place", (name, row) => {
      expectSame<[typeof name, typeof row], [string, number]>(true);
      return name;
    });
    socket.on("ping", () => "pong");
    socket.on("leave", () => socket.emit("emptied"));
    socket.on("disconnect", (reason) => reason.toUpperCase());
    // @ts-expect-error: there is no such event
    socket.on("shout", () => {});
    socket.emit("said", { id: 1, text: "hello" });
    socket.emit("heard", "say", { any: "thing" });
    // @ts-expect-error: the text is missing
    socket.emit("said", { id: 1 });
    // @ts-expect-error: clients emit this, not the server
    socket.emit("say", { text: "hello" });
  });

  service.app.post("/said", (c) => {
    c.var.io.emit("said", { id: 2, text: "hello" });
    // @ts-expect-error: there is no such event
    c.var.io.emit("shouted", "hello");
    c.var.io.of("/board").to("room").emit("moved", { card: "a" });
    return c.body(null, 204);
  });

  const board = service.io.of("/board");
  board.on("connection", (socket) =>
    socket.on("move", ({ card, to }) => {
      expectSame<[typeof card, typeof to], [string, number]>(true);
      // @ts-expect-error: this is an event of "/"
      socket.emit("said", { id: 1, text: card });
      return { moved: board.emit("moved", { card }) };
    }),
  );
  service.io.of("/board", (socket) => socket.on("move", () => ({ moved: true })));
  service.io.of(/^\/rooms-\d+$/).on("connection", (socket) => socket.emit("emptied"));

  void serve(service, { port: 0 });
  const plain: Service = createService();
  plain.io.on("connection", (socket) => socket.on("anything", (data) => socket.emit("else", data)));
  createService<{ news: (text: string) => void }>().io.emit("news", "text");
  // @ts-expect-error: the data of an event is a schema
  createService({ events: { client: { say: "string" } } });
  // @ts-expect-error: the data of an event is a schema
  defineEvents({ server: { said: [v.string(), "string"] } });
}

export async function client(): Promise<void> {
  const socket: ClientOf<typeof events> = io();
  expectSame<
    ClientOf<typeof events>,
    ClientSocket<ServerToClient<typeof events>, ClientToServer<typeof events>>
  >(true);
  socket.on("said", ({ id, text }) => expectSame<[typeof id, typeof text], [number, string]>(true));
  socket.on("hinoko:error", ({ error }) => error.code);
  socket.emit("typing", true);
  socket.emit("at", "2026-01-01");
  socket.emit("place", "a", 1, (answer) => answer);
  socket.emit("leave");
  const answer = await socket.emitWithAck("say", { text: "hello" });
  // @ts-expect-error: the event may have failed
  void answer.id;
  const said: string | number = "error" in answer ? answer.error.code : answer.id;
  void said;
  // @ts-expect-error: it takes a boolean
  socket.emit("typing", "yes");
  // @ts-expect-error: there is no such event
  socket.emit("shout");
  // @ts-expect-error: the server emits this
  socket.emit("said", { id: 1, text: "hello" });
  // @ts-expect-error: there is no such event
  socket.on("shouted", () => {});

  const board: ClientOf<typeof events, "/board"> = io("/board");
  board.on("moved", ({ card }) => expectSame<typeof card, string>(true));
  board.emit("move", { card: "a", to: 1 }, (answer) => "moved" in answer && answer.moved);
  // @ts-expect-error: there is no such namespace
  const none: ClientOf<typeof events, "/none"> = io("/none");
  void none;
}
