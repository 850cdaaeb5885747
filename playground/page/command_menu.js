// The menu of commands above the composer, which keeps the focus while the menu is open.

import { $, make, makeButton } from "./dom.js";
import { session } from "./session.js";

const menu = $("#menu");
const composer = $("#composer");
let choose;

// `onCommand` receives the chosen command.
export function listenForCommands(onCommand) {
  choose = onCommand;
  $("#commands").addEventListener("click", () => {
    showMenu(menu.hidden ? session.about.bot.commands : []);
    composer.focus();
  });
  document.addEventListener("click", (event) => event.target.closest("#menu, #commands, #composer") || showMenu([]));
}

export function showMenu(commands) {
  menu.hidden = commands.length === 0;
  $("#commands").setAttribute("aria-expanded", String(commands.length > 0));
  menu.replaceChildren(...commands.map(({ command, description }, index) => {
    const item = makeButton("", () => { choose(`/${command}`); composer.focus(); },
      make("strong", "", `/${command}`), make("span", "", description));
    item.id = `command-${index}`;
    item.tabIndex = -1;
    item.setAttribute("role", "option");
    return item;
  }));
  select(menu.firstElementChild);
}

function select(item) {
  for (const one of menu.children) one.setAttribute("aria-selected", String(one === item));
  if (item) composer.setAttribute("aria-activedescendant", item.id);
  else composer.removeAttribute("aria-activedescendant");
}

// While the menu is open it handles the arrow keys, Enter and Escape. Returns whether the menu handled the key.
export function chooseCommand(event) {
  if (menu.hidden || !["ArrowDown", "ArrowUp", "Enter", "Escape"].includes(event.key)) return false;
  event.preventDefault();
  const items = [...menu.children];
  const index = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "Escape") showMenu([]);
  else if (event.key === "Enter") items[index].click();
  else {
    const next = items.at((index + (event.key === "ArrowDown" ? 1 : -1)) % items.length);
    select(next);
    next.scrollIntoView({ block: "nearest" });
  }
  return true;
}
