// @ts-check
/** The building blocks of the page: finding and making elements. */

/** A name's first letter in one of six shades of fire. @param {string} name */
export function badge(name) {
  const item = make("span", "badge", [...name][0] ?? "");
  item.ariaHidden = "true";
  let sum = 0;
  for (const letter of name.toLowerCase()) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997;
  item.dataset["shade"] = String(sum % 6);
  return item;
}

/** @param {string} id @param {() => void} listener */
export function onSubmit(id, listener) {
  byId(id, HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    listener();
  });
}

/** @param {string} tag @param {string} className @param {(Node | string)[]} children @returns {HTMLElement} */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type))
    throw new TypeError(`#${id} must be a ${type.name} (got ${String(element)})`);
  return element;
}
