// @ts-check
/**
 * The conversation: messages and whether they were delivered, who is typing, and the message field.
 *
 * What people write is inserted as text, never as HTML.
 */
import { badge, byId, make, onSubmit } from "./dom.js";

/** @typedef {{ text: string, item: HTMLElement }} Outgoing a message of ours, on its way */

/** A typist is forgotten after this time; longer than TYPING_REPEATS in client.js, after which "typing" comes again. */
const TYPING_EXPIRES = 6_000;
/** Messages of one author within this time are shown under one name. */
const ONE_BREATH = 3 * 60_000;

const log = byId("log", HTMLElement);
const messages = byId("messages", HTMLElement);
const textField = byId("text", HTMLTextAreaElement);

let self = "";
let last = { name: "", time: 0 };

/** Whether the log is scrolled to its end, and follows new messages. */
let following = true;
log.addEventListener("scroll", () => {
  following = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
});
new ResizeObserver(follow).observe(log);

/** The names of those who are typing, each with the timer that removes it. @type {Map<string, ReturnType<typeof setTimeout>>} */
const typists = new Map();

/** Starts a new conversation with an empty log. @param {{ name: string, room: string }} seat */
export function restart({ name, room }) {
  self = name;
  messages.replaceChildren();
  for (const typist of typists.keys()) typing(typist, false);
  addNote("You joined ", `#${room}`, "");
  textField.focus();
}

/** @param {string} name @param {"joined" | "left"} change */
export function note(name, change) {
  addNote("", name, ` ${change}`);
}

/** @param {string} name @param {string} text @param {number} time */
export function message(name, text, time) {
  add(name, text, time).dataset["own"] = "false";
}

/** @param {(message: Outgoing) => void} listener */
export function onSend(listener) {
  const submit = () => {
    const text = textField.value.trim();
    textField.focus();
    if (!text) return;
    textField.value = "";
    fit();
    following = true;
    const item = add(self, text, Date.now());
    item.dataset["own"] = "true";
    const outgoing = { text, item };
    pending(outgoing, listener);
    listener(outgoing);
  };
  onSubmit("compose", submit);
  textField.addEventListener("keydown", (event) => {
    // While an input method is composing (Japanese, say), Enter picks a word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
}

/** @param {Outgoing} message @param {(message: Outgoing) => void} send */
function pending(message, send) {
  const state = make("span", "state", "Sending");
  const again = make("button", "again", "Send again");
  again.addEventListener("click", () => {
    show(message, "pending", "Sending");
    textField.focus();
    send(message);
  });
  message.item.append(make("p", "receipt", state, again));
  show(message, "pending", "Sending");
}

/** @param {Outgoing} message @param {number} time the server's */
export function delivered(message, time) {
  show(message, "delivered", "Delivered");
  const clock = message.item.querySelector("time");
  if (clock) setTime(clock, time);
}

/** @param {Outgoing} message @param {string} reason */
export function failed(message, reason) {
  show(message, "failed", `Not delivered: ${reason}`);
}

/** @param {Outgoing} message @param {"pending" | "delivered" | "failed"} state @param {string} words */
function show({ item }, state, words) {
  item.dataset["delivery"] = state;
  const label = item.querySelector(".state");
  if (label) label.textContent = words;
  follow();
}

// --- typing ---

/** @param {(anything: boolean) => void} listener gets whether the field has text */
export function onTyping(listener) {
  textField.addEventListener("input", () => {
    fit();
    listener(textField.value.trim() !== "");
  });
}

/** @param {string} name @param {boolean} active */
export function typing(name, active) {
  clearTimeout(typists.get(name));
  typists.delete(name);
  if (active) typists.set(name, setTimeout(typing, TYPING_EXPIRES, name, false));
  const [first, second, ...more] = [...typists.keys()].map((typist) => make("bdi", "", typist));
  const words = !first
    ? []
    : !second
      ? [first, " is typing"]
      : more.length === 0
        ? [first, " and ", second, " are typing"]
        : ["Several people are typing"];
  byId("typing", HTMLElement).replaceChildren(...words);
}

// --- building blocks ---

/** @param {string} name @param {string} text @param {number} time @returns {HTMLElement} */
function add(name, text, time) {
  const clock = document.createElement("time");
  setTime(clock, time);
  const item = make(
    "li",
    "message",
    badge(name),
    make("p", "byline", make("bdi", "who", name), clock),
    make("p", "text", text),
  );
  for (const block of item.querySelectorAll("p")) block.dir = "auto";
  item.dataset["follows"] = String(last.name === name && time - last.time < ONE_BREATH);
  last = { name, time };
  append(item);
  return item;
}

/** @param {string} before @param {string} who @param {string} after */
function addNote(before, who, after) {
  last = { name: "", time: 0 };
  append(make("li", "note", before, make("bdi", "", who), after));
}

/** @param {HTMLElement} item */
function append(item) {
  messages.append(item);
  follow();
}

/** Keeps the end of the log in sight, unless somebody has scrolled back to read. */
function follow() {
  if (following) log.scrollTop = log.scrollHeight;
}

/** @param {HTMLTimeElement} clock @param {number} time */
function setTime(clock, time) {
  const date = new Date(time);
  clock.dateTime = date.toISOString();
  clock.textContent = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** Grows the message field with its text; the style sheet sets the limit. */
function fit() {
  textField.style.height = "auto";
  textField.style.height = `${textField.scrollHeight + 2}px`;
}
