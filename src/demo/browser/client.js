// @ts-check
/**
 * The chat in the browser: connects a socket to the namespace /chat, and shows what happens on it in the view and log.
 *
 * It imports nothing of the server. The types of events below repeat those in src/demo/chat.ts.
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
/** While the user types, "typing" is sent again after this time, before it expires at the others (log.js). */
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
  // Without this, a reload while still on polling leaves a member with our name in the room until the ping timeout.
  closeOnBeforeunload: true,
});

/** The seat that we have, or will ask for when the socket is connected. @type {Seat | undefined} */
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
  if (name !== seat?.name) log.note(name, change); // our own name: an old connection of ours timed out
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
  if (seat !== wanted) return; // the user has left, or asked for another seat, meanwhile
  if (reply.ok) entered(reply);
  else if (socket.connected) left(reply.error); // when disconnected, the next "connect" asks again
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

/** @param {string} [error] the server's reason; none when the user left */
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
 * Emits with a time limit. When no ack comes, it resolves with a failure of the same form as the server's.
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
 * Stores the seat for this tab only, so that two tabs can be two people. The key is not stored: a duplicated tab would
 * have the same key, and take the name away from the original tab.
 * @param {Seat} seat
 * @param {boolean} joined
 */
function remember({ name, room }, joined) {
  try {
    sessionStorage.setItem("hinoko.chat", JSON.stringify({ name, room, joined }));
  } catch {
    // Storage is switched off: after a reload, the user has to type the name again.
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
// Join without a click when the URL has both name and room, or after a reload while in a room.
if (name && ((asked.has("name") && asked.has("room")) || before.joined)) seat = { name, room };
