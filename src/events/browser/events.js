// @ts-check
/**
 * The page at /hinoko/events: it reads /asyncapi.json, lists the events of each namespace, emits those of clients, and
 * shows what the server sends. What comes is inserted as text, never as HTML.
 */

/**
 * @typedef {object} JsonSchema
 * @property {string} [type]
 * @property {unknown} [const]
 * @property {unknown} [default]
 * @property {unknown[]} [enum]
 * @property {JsonSchema[]} [anyOf]
 * @property {number} [minimum]
 * @property {Record<string, JsonSchema>} [properties]
 * @property {JsonSchema | JsonSchema[]} [items]
 */
/** @typedef {{ $ref: string }} Reference */
/** @typedef {{ name: string, payload: JsonSchema, "x-arguments": number }} Message */
/** @typedef {{ action: "receive" | "send", channel: Reference, messages: Reference[], reply?: { messages: Reference[] } }} Operation */
/** @typedef {{ channels: Record<string, { messages: Record<string, Message> }>, operations: Record<string, Operation> }} Contract */

const ACK_TIMEOUT = 10_000;
const socketPath = document.body.dataset["socketPath"] ?? "/socket.io";

/** @type {Contract} */
const contract = await (await fetch("/asyncapi.json")).json();
/** @type {typeof import("socket.io-client") | undefined} */
const client = await import(`${socketPath}/socket.io.esm.min.js`).catch(() => undefined);
if (!client) note("error", "The Socket.IO client did not load: events are listed, but cannot be emitted");

for (const namespace of Object.keys(contract.channels)) {
  const state = make("p", client ? "Not connected: the first event connects" : "");
  const connect = once(() => openSocket(namespace, state));
  const section = make("section", make("h2", namespace), state);
  for (const { action, channel, messages, reply } of Object.values(contract.operations)) {
    if (keysOf(channel)[1] !== namespace) continue;
    const [message] = messages.map(find);
    const [answer] = (reply?.messages ?? []).map(find);
    if (!message) continue;
    section.append(action === "receive" ? emitForm(namespace, message, answer, connect) : describe(message));
  }
  byId("contract").append(section);
}
byId("clear").addEventListener("click", () => byId("log").replaceChildren());

/**
 * Connects to a namespace, and logs what the server sends there.
 * @param {string} namespace @param {HTMLElement} state
 */
function openSocket(namespace, state) {
  const socket = client?.io(namespace, { path: socketPath });
  socket?.on("connect", () => (state.textContent = `Connected as ${socket.id}`));
  socket?.on("disconnect", (reason) => (state.textContent = `Disconnected: ${reason}`));
  socket?.on("connect_error", (error) => (state.textContent = `Refused: ${error.message}`));
  socket?.onAny((event, ...args) => note("heard", `${namespace} ← ${event} ${args.map(toText).join(", ")}`));
  return socket;
}

/**
 * A form that emits an event of a client.
 * @param {string} namespace @param {Message} message @param {Message | undefined} answer
 * @param {() => import("socket.io-client").Socket | undefined} connect
 */
function emitForm(namespace, { name, payload, "x-arguments": count }, answer, connect) {
  const field = make("textarea");
  if (!(field instanceof HTMLTextAreaElement)) return field;
  field.value = count === 0 ? "" : toText(sample(payload));
  field.rows = Math.min(6, field.value.split("\n").length);
  field.spellcheck = false;
  field.hidden = count === 0;
  const label = make("label", make("strong", name), count > 1 ? " (an array of its arguments)" : "", field);
  const form = make("form", label, details(payload, answer), make("button", `Emit ${name}`));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void emit().catch((error) => note("error", `${namespace} → ${name}: ${error.message}`));
  });
  // In a text field Enter makes a new line; with Ctrl or Cmd it emits.
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (form instanceof HTMLFormElement) form.requestSubmit();
  });
  return form;

  async function emit() {
    const given = count === 0 ? [] : JSON.parse(field instanceof HTMLTextAreaElement ? field.value : "");
    const args = count === 1 ? [given] : given;
    const socket = connect();
    if (!socket) return;
    note("sent", `${namespace} → ${name} ${args.map(toText).join(", ")}`);
    if (!answer) {
      socket.emit(name, ...args);
      return;
    }
    const acknowledged = await socket.timeout(ACK_TIMEOUT).emitWithAck(name, ...args);
    note(
      acknowledged?.error ? "error" : "heard",
      `${namespace} ← acknowledgement of ${name} ${toText(acknowledged)}`,
    );
  }
}

/** An event of the server. @param {Message} message */
function describe({ name, payload }) {
  const item = make("div", make("strong", name), " (from the server)", details(payload));
  item.className = "listen";
  return item;
}

/** @param {JsonSchema} payload @param {Message} [answer] */
function details(payload, answer) {
  const parts = [make("summary", "Schema"), make("pre", toText(payload))];
  if (answer) parts.push(make("p", "Acknowledgement"), make("pre", toText(answer.payload)));
  return make("details", ...parts);
}

/**
 * Makes data of the form that a JSON Schema asks for, to start from.
 * @param {JsonSchema} schema @returns {unknown}
 */
function sample(schema) {
  const {
    const: constant,
    default: fallback,
    enum: choices,
    anyOf,
    type,
    minimum,
    properties,
    items,
  } = schema;
  const given = fallback ?? constant ?? choices?.[0];
  if (given !== undefined) return given;
  if (anyOf?.[0]) return sample(anyOf[0]);
  if (type === "string") return "";
  if (type === "number" || type === "integer") return minimum ?? 0;
  if (type === "boolean") return true;
  if (type === "array") return Array.isArray(items) ? items.map(sample) : [];
  return Object.fromEntries(Object.entries(properties ?? {}).map(([key, value]) => [key, sample(value)]));
}

/** The keys that a reference leads along: "channels", a namespace, "messages", a message. @param {Reference} reference */
function keysOf({ $ref }) {
  const keys = decodeURIComponent($ref).slice(2).split("/");
  return keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Finds the message that a reference leads to. @param {Reference} reference */
function find(reference) {
  const [, namespace = "", , message = ""] = keysOf(reference);
  return contract.channels[namespace]?.messages[message];
}

/** Adds a line to the log. @param {"sent" | "heard" | "error"} kind @param {string} text */
function note(kind, text) {
  const item = make("li", text);
  item.className = kind;
  const log = byId("log");
  log.append(item);
  log.scrollTop = log.scrollHeight;
}

/** @param {unknown} value */
function toText(value) {
  return JSON.stringify(value, null, 1) ?? "nothing";
}

/** @template T @param {() => T} make @returns {() => T} */
function once(make) {
  /** @type {{ value: T } | undefined} */
  let made;
  return () => (made ??= { value: make() }).value;
}

/** @param {string} tag @param {(Node | string)[]} children @returns {HTMLElement} */
function make(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

/** @param {string} id */
function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new TypeError(`The page must have an element with the id "${id}"`);
  return element;
}
