// Shows the people, and switches between them.

import { $, make, makeButton } from "./dom.js";
import { session } from "./session.js";

export function showPeople(onSwitch) {
  const { people } = session.about;
  $("#people").replaceChildren(...people.map((one) => personButton(one, onSwitch)));
  $("#person").replaceChildren(...people.map(({ id, name }) => new Option(name, id, false, id === session.person)));
}

function personButton({ id, name, admin }, onSwitch) {
  const avatar = make("span", `avatar tone-${id}`, name[0]);
  avatar.setAttribute("aria-hidden", "true");
  const label = make("span", "", name.replace(/ \(.*/, ""), make("small", "", admin ? "admin" : "user"));
  const button = makeButton("person", () => onSwitch(id), avatar, label);
  button.dataset.userId = id;
  button.setAttribute("role", "radio");
  button.setAttribute("aria-checked", String(id === session.person));
  button.tabIndex = id === session.person ? 0 : -1;
  return button;
}

export function listenForSwitches(onSwitch) {
  $("#people").addEventListener("keydown", async (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const ids = session.about.people.map(({ id }) => id);
    await onSwitch(ids.at((ids.indexOf(session.person) + step) % ids.length));
    $('#people [aria-checked="true"]').focus();
  });
  $("#person").addEventListener("change", (event) => onSwitch(Number(event.target.value)));
}
