/**
 * The application that every contender serves: the same events and the same page, on whichever Socket.IO server.
 */
import type { Server } from "socket.io";

/** What `GET /` answers. */
export const PAGE = "Hello, world";

/** `echo` is sent back to its sender, `ask` is acknowledged with what it brought, `cast` is sent to everybody. */
export function listen(io: Pick<Server, "on" | "emit">): void {
  io.on("connection", (socket) => {
    socket.on("echo", (data: unknown) => socket.emit("echo", data));
    socket.on("ask", (data: unknown, acknowledge: (data: unknown) => void) => acknowledge(data));
    socket.on("cast", (data: unknown) => io.emit("cast", data));
  });
}

/** Tells the benchmark where the server listens. */
export const announce = (port: number): void => console.log(`listening on ${port}`);
