// What the page's modules share: who is chatting, and what the server says about the bot and the people.

import { get } from "./sim.js";

const KEY = "person";

export const session = {
  person: Number(new URLSearchParams(location.search).get("user") ?? localStorage.getItem(KEY) ?? 2),
  about: { bot: { commands: [] }, people: [] },
};

export function choosePerson(id) {
  session.person = id;
  localStorage.setItem(KEY, id);
}

export async function loadAbout() {
  session.about = await get(`about?user_id=${session.person}`);
  return session.about;
}

export const nameOf = (id) => (session.about.people.find((one) => one.id === id)?.name ?? "").replace(/ \(.*/, "");
