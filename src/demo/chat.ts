/**
 * The demo chat: rooms, names, presence, typing and acknowledged messages, on a namespace of its own.
 *
 * All its state is in Socket.IO's rooms and in `socket.data`, none in variables of this process, so it also works when
 * an adapter connects several processes. Nothing that a client sends makes a listener throw: an invalid request is
 * answered with an error in its ack.
 */
import type { DefaultEventsMap, Namespace, Socket } from "socket.io";
import * as v from "valibot";

export interface JoinRequest {
  name: string;
  room: string;
  /** The `key` of an earlier join. It takes the name back from a lost connection that has not timed out yet. */
  key?: string | undefined;
}

export interface Joined {
  name: string;
  room: string;
  /** The names of everybody in the room, this client included. */
  members: string[];
  /** Proves that this client holds the name; see {@link JoinRequest.key}. */
  key: string;
}

export interface Delivered {
  id: string;
  /** Milliseconds since the epoch, on the server's clock. */
  time: number;
}

export interface ChatMessage extends Delivered {
  room: string;
  name: string;
  text: string;
}

export interface Presence {
  room: string;
  /** Everybody who is in the room now, so that a client that missed an update is correct after the next one. */
  members: string[];
  change: "joined" | "left";
  name: string;
}

export interface Typing {
  room: string;
  name: string;
  active: boolean;
}

export type Reply<Success = object> = ({ ok: true } & Success) | { ok: false; error: string };
export type Ack<Success = object> = (reply: Reply<Success>) => void;

/** What a client may send. Whatever the types say, a client may leave out the ack. */
export interface ChatClientEvents {
  join: (request: JoinRequest, ack: Ack<Joined>) => void;
  leave: (ack: Ack) => void;
  message: (request: { text: string }, ack: Ack<Delivered>) => void;
  typing: (request: { active: boolean }, ack?: Ack) => void;
}

/** What the server sends to the others in the room. The sender gets the ack instead. */
export interface ChatServerEvents {
  message: (message: ChatMessage) => void;
  presence: (presence: Presence) => void;
  typing: (typing: Typing) => void;
}

interface Seat {
  name: string;
  room: string;
  key: string;
}

export interface ChatSocketData {
  seat?: Seat | undefined;
}

type ChatNamespace = Namespace<ChatClientEvents, ChatServerEvents, DefaultEventsMap, ChatSocketData>;
type ChatSocket = Socket<ChatClientEvents, ChatServerEvents, DefaultEventsMap, ChatSocketData>;

/** An error whose message is the client's answer. Any other error is logged, and the client learns no details. */
class Refusal extends Error {}

const must = (form: string) => (issue: v.BaseIssue<unknown>) => `${form} (got ${shown(issue)})`;

const nameForm = must("name must be 1 to 32 characters, none of them invisible");
const roomForm = must("room must be 1 to 32 letters, digits, - or _");
const textForm = must("text must be 1 to 2000 characters");

const joinRequest = v.strictObject(
  {
    // \p{C} stands for control, format and unassigned characters. With them two names could look the same, or a name
    // could be invisible.
    name: v.pipe(v.string(nameForm), v.normalize("NFC"), v.trim(), v.regex(/^\P{C}{1,32}$/u, nameForm)),
    room: v.pipe(
      v.string(roomForm),
      v.normalize("NFC"),
      v.trim(),
      v.toLowerCase(),
      v.regex(/^[\p{L}\p{M}\p{N}_-]{1,32}$/u, roomForm),
    ),
    key: v.optional(v.pipe(v.string(must("key must be a UUID")), v.uuid(must("key must be a UUID")))),
  },
  must("join takes { name, room, key? }"),
);
const leaveRequest = v.undefined(must("leave takes no argument"));
const messageRequest = v.strictObject(
  { text: v.pipe(v.string(textForm), v.trim(), v.minLength(1, textForm), v.maxLength(2000, textForm)) },
  must("message takes { text }"),
);
const typingRequest = v.strictObject(
  { active: v.boolean(must("active must be true or false")) },
  must("typing takes { active }"),
);

/** Serves the chat on `namespace`. */
export function chat(namespace: ChatNamespace): void {
  namespace.on("connection", (socket) => {
    const inTurn = queue();

    const answer =
      <Request>(
        event: string,
        schema: v.GenericSchema<unknown, Request>,
        act: (request: Request) => object | Promise<object>,
      ) =>
      (...received: unknown[]): void => {
        const last = received.at(-1);
        const ack = isAck(last) ? last : () => {};
        const [request, ...extra] = isAck(last) ? received.slice(0, -1) : received;
        inTurn(async () => {
          if (!socket.connected) return;
          try {
            if (extra.length > 0) throw new Refusal(`${event} takes one argument (got ${1 + extra.length})`);
            const parsed = v.safeParse(schema, request, { abortEarly: true });
            if (!parsed.success) throw new Refusal(parsed.issues[0].message);
            ack({ ok: true, ...(await act(parsed.output)) });
          } catch (error) {
            ack({ ok: false, error: reason(event, error) });
          }
        });
      };

    socket.on(
      "join",
      answer("join", joinRequest, (request) => join(namespace, socket, request)),
    );
    socket.on(
      "leave",
      answer("leave", leaveRequest, async () => {
        await leave(namespace, socket);
        return {};
      }),
    );
    socket.on(
      "message",
      answer("message", messageRequest, ({ text }) => {
        const { room, name } = seatOf(socket);
        const delivered: Delivered = { id: crypto.randomUUID(), time: Date.now() };
        socket.to(audience(room)).emit("message", { ...delivered, room, name, text });
        return delivered;
      }),
    );
    socket.on(
      "typing",
      answer("typing", typingRequest, ({ active }) => {
        const { room, name } = seatOf(socket);
        socket.to(audience(room)).emit("typing", { room, name, active });
        return {};
      }),
    );

    // Socket.IO has removed the socket from its rooms by now. leave() tells the others, and undoes a join that was
    // under way.
    socket.on("disconnect", () => inTurn(() => leave(namespace, socket)));

    // Connection state recovery restores the rooms and `socket.data`, but the others have been told "left" meanwhile.
    const recovered = socket.data.seat;
    if (recovered) inTurn(async () => void (await announce(namespace, socket, "joined", recovered)));
  });
}

async function join(namespace: ChatNamespace, socket: ChatSocket, request: JoinRequest): Promise<Joined> {
  const { name, room, key } = request;
  const held = socket.data.seat;
  if (held && claim(held) === claim(request))
    return { ...held, members: await members(namespace, held.room) };

  const seat: Seat = { name, room, key: crypto.randomUUID() };
  await take(namespace, socket, seat, key); // before leaving, so that a refused client stays in its room
  await leave(namespace, socket);
  // If a socket joins a room after its disconnect, the adapter keeps it there for ever.
  if (!socket.connected) throw new Refusal("join came too late, the connection is closed");
  socket.data.seat = seat;
  await socket.join(audience(room));
  return { ...seat, members: await announce(namespace, socket, "joined", seat) };
}

/**
 * Takes a name: joins the Socket.IO room that stands for it, then looks for other sockets there. In this order two
 * clients can never both get the name: if they ask in two processes at the same moment, each sees the other, and both
 * are refused.
 */
async function take(
  namespace: ChatNamespace,
  socket: ChatSocket,
  seat: Seat,
  key: string | undefined,
): Promise<void> {
  let taken = false;
  await socket.join(claim(seat));
  try {
    const rivals = await namespace.in(claim(seat)).except(socket.id).fetchSockets();
    const own = rivals.filter(({ data }) => key !== undefined && data.seat?.key === key);
    taken = own.length === rivals.length;
    if (taken) for (const lost of own) lost.disconnect();
  } finally {
    if (!taken) await socket.leave(claim(seat));
  }
  if (!taken)
    throw new Refusal(`name is taken in room ${seat.room}, choose another (got ${quoted(seat.name)})`);
}

async function leave(namespace: ChatNamespace, socket: ChatSocket): Promise<void> {
  const { seat } = socket.data;
  if (!seat) return;
  socket.data.seat = undefined;
  await socket.leave(audience(seat.room));
  await socket.leave(claim(seat));
  await announce(namespace, socket, "left", seat);
}

async function announce(
  namespace: ChatNamespace,
  socket: ChatSocket,
  change: Presence["change"],
  { room, name }: Seat,
): Promise<string[]> {
  const present = await members(namespace, room);
  socket.to(audience(room)).emit("presence", { room, members: present, change, name });
  return present;
}

async function members(namespace: ChatNamespace, room: string): Promise<string[]> {
  const sockets = await namespace.in(audience(room)).fetchSockets();
  return sockets.flatMap(({ data }) => (data.seat?.room === room ? [data.seat.name] : []));
}

function seatOf(socket: ChatSocket): Seat {
  if (!socket.data.seat) throw new Refusal("join a room first (got no join yet)");
  return socket.data.seat;
}

/** Names the Socket.IO room of a chat room. Without a prefix it could be a socket's own room, which its id names. */
function audience(room: string): string {
  return `room:${room}`;
}

/** Names the Socket.IO room that only the holder of a name is in. */
function claim({ room, name }: Pick<Seat, "room" | "name">): string {
  return `name:${room}:${name.normalize("NFKC").toLowerCase()}`;
}

/** Creates a queue that runs tasks one at a time, in order: a message must not overtake the join sent before it. */
function queue(): (task: () => Promise<void>) => void {
  let last = Promise.resolve();
  return (task) => {
    // Socket.IO does not catch what an async listener rejects with. Uncaught, it would end the process.
    last = last.then(task).catch((error: unknown) => console.error("chat:", error));
  };
}

function isAck(value: unknown): value is (reply: Reply) => void {
  return typeof value === "function";
}

function reason(event: string, error: unknown): string {
  if (error instanceof Refusal) return error.message;
  console.error(`chat: ${event} failed:`, error);
  return `${event} failed on the server, try again`;
}

function shown({ type, expected, input, path }: v.BaseIssue<unknown>): string {
  const key = path?.at(-1)?.key;
  if (type === "strict_object" && typeof key === "string") {
    return expected === "never" ? `unknown key ${quoted(key)}` : `no ${quoted(key)}`;
  }
  if (input === undefined) return "nothing";
  if (typeof input === "string") return quoted(input);
  if (typeof input === "object" && input !== null) return Array.isArray(input) ? "an array" : "an object";
  return String(input);
}

function quoted(text: string): string {
  return text.length <= 40
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, 32))}… of ${text.length} characters`;
}
