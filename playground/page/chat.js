// The messages of the current chat, and the state of the bot above them.

import { bubble } from "./bubbles.js";
import { $, make, makeButton } from "./dom.js";
import { session } from "./session.js";
import { get } from "./sim.js";

const NEAR_END_PIXELS = 140;
const messages = $("#messages");
let isFollowing = true; // whether the chat stays at its end when something arrives or the space changes
const state = $("#bot-state");
let typingTimer;
let stateTimer;

export const bubbleOf = (id) => messages.querySelector(`.bubble[data-message-id="${id}"]`);

export function showAll(shown, actions) {
  messages.replaceChildren();
  shown.forEach((message) => show(message, actions));
  showIntro(actions);
  scrollToEnd();
}

// Shows a new message, or replaces the bubble of an edited one. The focus stays in a replaced bubble.
export function show(message, actions, isNew = false) {
  messages.querySelector(".intro")?.remove();
  const element = bubble(message, actions);
  const old = bubbleOf(message.message_id);
  if (old) {
    const place = focusedPlace(old);
    old.replaceWith(element);
    if (place) focusPlace(element, place);
    return;
  }
  if (isNew) element.classList.add("new");
  messages.append(element);
  if (isNew && (isFollowing || !message.from_bot)) scrollToEnd();
}

export function remove(id, actions) {
  const element = bubbleOf(id);
  const next = element?.nextElementSibling ?? element?.previousElementSibling;
  const hadFocus = element?.contains(document.activeElement);
  element?.remove();
  showIntro(actions);
  if (hadFocus) (next ?? $("#composer")).focus();
}

function focusedPlace(element) {
  const focused = document.activeElement;
  if (!element.contains(focused)) return null;
  return { callback: focused.dataset.callback, at: controls(element).indexOf(focused) };
}

const controls = (element) => [...element.querySelectorAll(".keyboard button, .keyboard a")];

// Focuses the same button, or else the one in its place, or else the bubble.
function focusPlace(element, { callback, at }) {
  const found = controls(element);
  const target = found.find((one) => callback !== undefined && one.dataset.callback === callback)
    ?? found[Math.min(at, found.length - 1)] ?? element;
  target.focus({ preventScroll: true });
}

function scrollToEnd() {
  messages.scrollTop = messages.scrollHeight;
}

messages.addEventListener("scroll", () => {
  isFollowing = messages.scrollHeight - messages.scrollTop - messages.clientHeight < NEAR_END_PIXELS;
});
new ResizeObserver(() => { if (isFollowing) scrollToEnd(); }).observe(messages);

function showIntro(actions) {
  if (messages.querySelector(".bubble, .intro")) return;
  const { name = "Bot", description } = session.about.bot;
  const avatar = make("div", "avatar bot", name[0]);
  avatar.setAttribute("aria-hidden", "true");
  messages.append(make("section", "intro", avatar, make("h2", "", name),
    make("p", "", description || "Say hello to start the chat."), makeButton("", () => actions.command("/start"), "Start")));
}

export function setTyping(seconds) {
  clearTimeout(typingTimer);
  state.classList.toggle("typing", seconds > 0);
  if (seconds > 0) {
    state.textContent = "typing…";
    typingTimer = setTimeout(() => setTyping(0), seconds * 1000);
  } else {
    loadStateSoon();
  }
}

async function loadState() {
  const { bot, pending_updates: pending } = await get("status");
  if (state.classList.contains("typing")) return;
  const text = bot.webhook ? `webhook at ${new URL(bot.webhook).host}` : bot.polling ? "online" : "not running";
  state.textContent = pending && !bot.polling ? `${text} · ${pending} pending` : text;
}

// Many changes can arrive at once; one request after them is enough.
export function loadStateSoon() {
  clearTimeout(stateTimer);
  stateTimer = setTimeout(() => loadState().catch(showOffline), 250);
}

export function showOffline() {
  state.textContent = "server not reachable…";
}
