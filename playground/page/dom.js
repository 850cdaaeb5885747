// Finds and makes elements.

export const $ = (selector) => document.querySelector(selector);

export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function makeButton(className, onClick, ...children) {
  const element = make("button", className, ...children);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

// Arrow keys, Home and End move through `items`. Returns the item to focus, or undefined for other keys.
export function neighbour(event, items) {
  const at = items.indexOf(event.target.closest("button, summary, a"));
  const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  return target === undefined ? undefined : items[Math.min(Math.max(target, 0), items.length - 1)];
}
