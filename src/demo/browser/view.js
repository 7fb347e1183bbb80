// @ts-check
/**
 * The page around the conversation: the gauges, the lobby, the room and its members. Like log.js it knows nothing of
 * sockets: client.js connects both to one.
 */
import { badge, byId, make, onSubmit } from "./dom.js";
import * as log from "./log.js";

const lobby = byId("lobby", HTMLElement);
const chat = byId("chat", HTMLElement);
const nameField = byId("name", HTMLInputElement);
const roomField = byId("room", HTMLInputElement);
const otherRoom = byId("other-room", HTMLInputElement);

/** The room shown, and who we are in it. */
let here = { name: "", room: "" };

// --- the gauges ---

/**
 * @param {"connecting" | "connected" | "reconnecting" | "closed"} state
 * @param {string} words
 */
export function connection(state, words) {
  const status = byId("status", HTMLElement);
  status.dataset["state"] = state;
  status.textContent = words;
  document.documentElement.dataset["state"] = state;
  byId("reconnect", HTMLElement).hidden = state !== "closed";
}

/** @param {string} name */
export function transport(name) {
  const gauge = byId("transport", HTMLElement);
  gauge.dataset["transport"] = name;
  gauge.textContent = name || "none";
}

/** @param {() => void} listener */
export function onReconnect(listener) {
  byId("reconnect", HTMLElement).addEventListener("click", listener);
}

// --- coming and going ---

/** @param {{ name: string, room: string }} seat */
export function prefill({ name, room }) {
  nameField.value = name;
  roomField.value = room;
  (name ? roomField : nameField).focus();
}

/** @param {(seat: { name: string, room: string }) => void} listener */
export function onJoin(listener) {
  onSubmit("join", () => {
    complain("join-error", "", nameField, roomField);
    listener({ name: nameField.value, room: roomField.value });
  });
}

/** @param {(room: string) => void} listener */
export function onSwitch(listener) {
  onSubmit("switch", () => {
    complain("switch-error", "", otherRoom);
    listener(otherRoom.value);
  });
}

/** @param {() => void} listener */
export function onLeave(listener) {
  byId("leave", HTMLElement).addEventListener("click", listener);
}

/**
 * Shows the room. If it is the same room as before, the log is kept: only the connection was lost meanwhile.
 * @param {{ name: string, room: string }} seat
 */
export function enter(seat) {
  const returning = !chat.hidden && seat.room === here.room;
  here = seat;
  byId("room-title", HTMLElement).textContent = `#${seat.room}`;
  byId("self", HTMLElement).textContent = seat.name;
  document.title = `#${seat.room} - Hinoko chat`;
  if (returning) return;
  otherRoom.value = "";
  lobby.hidden = true;
  chat.hidden = false;
  log.restart(seat);
}

/** Goes back to the lobby, and shows an error if there is one. @param {string} [error] */
export function exit(error = "") {
  if (here.name) prefill(here);
  document.title = "Hinoko chat";
  chat.hidden = true;
  lobby.hidden = false;
  complain("join-error", error, ...(error.startsWith("room") ? [roomField] : [nameField]));
}

/** Stays in this room, and shows why the server refused the other one. @param {string} error */
export function stay(error) {
  complain("switch-error", error, otherRoom);
}

/** @param {string[]} names */
export function members(names) {
  const sorted = names.toSorted((a, b) => a.localeCompare(b));
  byId("member-count", HTMLElement).textContent = String(names.length);
  byId("members", HTMLElement).replaceChildren(
    ...sorted.map((name) => {
      const item = make("li", "member", badge(name), make("bdi", "who", name));
      item.dataset["name"] = name;
      if (name === here.name) item.append(make("span", "you", "you"));
      return item;
    }),
  );
}

/** @param {string} id @param {string} error @param {HTMLInputElement[]} fields */
function complain(id, error, ...fields) {
  byId(id, HTMLElement).textContent = error;
  for (const field of fields) field.ariaInvalid = error ? "true" : null;
  if (error) fields[0]?.focus();
}
