// @ts-check
/**
 * The chat in the browser: one socket on /chat, and what happens on it told to the view and the log.
 *
 * It is a client like any other, so it has the server's events from the wire only; src/demo/chat.ts defines them.
 */
import * as log from "./log.js";
import * as view from "./view.js";

/** @typedef {{ name: string, room: string, key?: string }} Seat */
/** @typedef {{ ok: false, error: string }} Failure */
/** @typedef {{ name: string, room: string, key: string, members: string[] }} Joined */
/** @typedef {{ id: string, time: number }} Delivered */

/**
 * @typedef {object} ServerEvents
 * @property {(message: Delivered & { name: string, text: string }) => void} message
 * @property {(presence: { members: string[], change: "joined" | "left", name: string }) => void} presence
 * @property {(typing: { name: string, active: boolean }) => void} typing
 */

/**
 * @typedef {object} ClientEvents
 * @property {(request: Seat, ack: (reply: { ok: true } & Joined | Failure) => void) => void} join
 * @property {(ack: (reply: { ok: true } | Failure) => void) => void} leave
 * @property {(request: { text: string }, ack: (reply: { ok: true } & Delivered | Failure) => void) => void} message
 * @property {(request: { active: boolean }) => void} typing
 */

const ACK_TIMEOUT = 10_000;
/** Typing is repeated while it lasts, so that whoever listens can let it expire; see TYPING_EXPIRES in log.js. */
const TYPING_REPEATS = 3_000;
const TYPING_STOPS = 4_000;

const socketPath = document.body.dataset["socketPath"] ?? "/socket.io";

/** @type {typeof import("socket.io-client")} */
const { io } = await import(`${socketPath}/socket.io.esm.min.js`).catch((error) => {
  view.connection("closed", "The Socket.IO client did not load");
  view.onReconnect(() => location.reload());
  throw error;
});

/** @type {import("socket.io-client").Socket<ServerEvents, ClientEvents>} */
const socket = io("/chat", {
  path: socketPath,
  // Without this, a reload while still on polling leaves a ghost with our name until the server's ping times out.
  closeOnBeforeunload: true,
});

/** The seat that we hold, or want as soon as there is a connection. @type {Seat | undefined} */
let seat;
let seated = false;

/** Messages written while there was no seat. @type {log.Outgoing[]} */
let waiting = [];

// --- the connection ---

socket.on("connect", () => {
  view.connection("connected", "Connected");
  showTransport();
  socket.io.engine.on("upgrade", showTransport);
  if (seat) void sit(seat);
});

socket.on("disconnect", (reason) => {
  seated = false;
  view.transport("");
  if (socket.active) view.connection("reconnecting", "Reconnecting");
  else view.connection("closed", reason === "io client disconnect" ? "Disconnected" : "Closed by the server");
});

socket.on("connect_error", (error) => {
  // While it is active the socket tries again by itself; otherwise the server has refused it.
  if (socket.active) view.connection("reconnecting", seat ? "Reconnecting" : "Connecting");
  else view.connection("closed", `Refused: ${error.message}`);
});

socket.io.on("reconnect_attempt", (attempt) => {
  view.connection("reconnecting", `Reconnecting, attempt ${attempt}`);
});

view.onReconnect(() => {
  view.connection("connecting", "Connecting");
  socket.connect();
});

function showTransport() {
  view.transport(socket.io.engine.transport.name);
}

// --- the room ---

socket.on("presence", ({ members, change, name }) => {
  view.members(members);
  if (name !== seat?.name) log.note(name, change); // it may be a lost connection of our own that is gone now
  log.typing(name, false);
});

view.onJoin((wanted) => {
  seat = wanted;
  if (socket.connected) void sit(wanted);
});

view.onSwitch((room) => void move(room));

view.onLeave(() => {
  if (socket.connected) void ask((acked) => acked.emitWithAck("leave"));
  left();
});

/** @param {Seat} wanted */
async function sit(wanted) {
  const reply = await ask((acked) => acked.emitWithAck("join", wanted));
  if (seat !== wanted) return; // left again, or wants another by now
  if (reply.ok) entered(reply);
  else if (socket.connected) left(reply.error); // and if not, the next "connect" asks again
}

/**
 * Changes rooms. The server gives up the old seat only for a new one, so a refusal leaves us where we are.
 * @param {string} room
 */
async function move(room) {
  if (!seat || !seated) return;
  const { name } = seat;
  const reply = await ask((acked) => acked.emitWithAck("join", { name, room }));
  if (reply.ok) entered(reply);
  else view.stay(reply.error);
}

/** @param {Joined} joined */
function entered({ name, room, key, members }) {
  seat = { name, room, key };
  seated = true;
  remember(seat, true);
  view.enter(seat);
  view.members(members);
  for (const message of waiting.splice(0)) void deliver(message);
}

/** @param {string} [error] why, when it was not our wish */
function left(error) {
  stopTyping();
  if (seat) remember(seat, false);
  seat = undefined;
  seated = false;
  waiting = [];
  view.exit(error);
}

// --- messages ---

socket.on("message", ({ name, text, time }) => {
  log.typing(name, false);
  log.message(name, text, time);
});

log.onSend((message) => {
  stopTyping();
  if (seated) void deliver(message);
  else waiting.push(message);
});

/** @param {log.Outgoing} message */
async function deliver(message) {
  const reply = await ask((acked) => acked.emitWithAck("message", { text: message.text }));
  if (reply.ok) log.delivered(message, reply.time);
  else log.failed(message, reply.error);
}

// --- typing ---

let typingSince = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typingStops;

log.onTyping((anything) => {
  if (!seated) return;
  if (!anything) return stopTyping();
  clearTimeout(typingStops);
  typingStops = setTimeout(stopTyping, TYPING_STOPS);
  if (Date.now() - typingSince < TYPING_REPEATS) return;
  typingSince = Date.now();
  socket.emit("typing", { active: true });
});

socket.on("typing", ({ name, active }) => log.typing(name, active));

function stopTyping() {
  clearTimeout(typingStops);
  if (typingSince > 0 && seated) socket.emit("typing", { active: false });
  typingSince = 0;
}

// --- the rest ---

/**
 * Emits with a time limit, and answers a lost connection or a missing ack as a failure like the server's own.
 * @template Reply
 * @param {(acked: ReturnType<typeof socket.timeout>) => Promise<Reply>} emit
 * @returns {Promise<Reply | Failure>}
 */
async function ask(emit) {
  try {
    return await emit(socket.timeout(ACK_TIMEOUT));
  } catch {
    return { ok: false, error: "no answer from the server, it may or may not have arrived" };
  }
}

/**
 * Remembered for this tab only, so that two tabs can be two people. The key stays out of it: a duplicated tab would
 * come with the same key, and throw its original out.
 * @param {Seat} seat
 * @param {boolean} joined
 */
function remember({ name, room }, joined) {
  try {
    sessionStorage.setItem("hinoko.chat", JSON.stringify({ name, room, joined }));
  } catch {
    // Storage is switched off, which costs no more than a name to type again.
  }
  const address = new URL(location.href);
  address.searchParams.set("room", room);
  address.searchParams.delete("name");
  history.replaceState(null, "", address);
}

/** @returns {{ name?: string, room?: string, joined?: boolean }} */
function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem("hinoko.chat") ?? "{}");
  } catch {
    return {};
  }
}

const asked = new URLSearchParams(location.search);
const before = remembered();
const name = asked.get("name") ?? before.name ?? "";
const room = asked.get("room") ?? before.room ?? "lobby";
view.prefill({ name, room });
// An address that says who and where, or a reload while in a room, needs no click.
if (name && ((asked.has("name") && asked.has("room")) || before.joined)) seat = { name, room };
