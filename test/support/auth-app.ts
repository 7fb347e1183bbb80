/**
 * The app of the README that tells who its clients are, with users and teams to try it with.
 */
import { getCookie } from "hono/cookie";
import { type Service, variablesOf } from "../../src/index.ts";

const SESSIONS = new Map([["secret", "ann"]]);

const findUser = async (session: string | undefined) => SESSIONS.get(session ?? "");

const isMember = (user: string, team: unknown) => user === "ann" && team === "red";

export default ({ app, io }: Service) => {
  app.use("/socket.io/", async (c, next) => {
    const user = await findUser(getCookie(c, "session"));
    if (!user) return c.json({ error: "who are you?" }, 401);
    c.set("user", user);
    return next();
  });

  io.use((socket, next) => {
    const { user } = variablesOf(socket); // what the middleware above put into c.var when the session was opened
    const { team } = socket.handshake.auth; // what the client gave to io(url, { auth: { team: "red" } })
    next(isMember(user, team) ? undefined : new Error("not your team"));
  });

  io.on("connection", (socket) => {
    socket.on("chat", (text) => io.emit("chat", `${variablesOf(socket).user}: ${text}`));
  });
};
