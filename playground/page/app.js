// The chat page: the current person, the messages and the composer.

import { bubble, make, replyKeyboard } from "./bubbles.js";
import { get, post, subscribe, upload } from "./sim.js";
import { addCall, loadCalls, makeFaults, showFaults } from "./tools.js";

const $ = (selector) => document.querySelector(selector);
const messages = $("#messages");
const composer = $("#composer");
const waiting = new Map(); // callback id -> the button that is waiting for an answer
let about = { bot: {}, people: [] };
let person = Number(new URLSearchParams(location.search).get("user") ?? localStorage.getItem("person") ?? 2);
let editing = null;
let forcedReply = null; // the message that a ForceReply asks to reply to
let typingTimer;
let toastTimer;
let stateTimer;

const actions = {
  command: (text) => send(text),
  edit: (message) => startEdit(message),
  copy: (text) => navigator.clipboard.writeText(text).then(() => toast("Copied"), (error) => toast(error.message, true)),
  inlineQuery(query) {
    setText(`@${about.bot.username} ${query}`);
    composer.focus();
  },
  async tap(messageId, button, element) {
    element.classList.add("waiting");
    try {
      const { callback_id: id } = await post("tap", {
        chat_id: person, message_id: messageId, label: button.text, data: button.callback_data,
      });
      waiting.set(id, element);
    } catch (error) {
      element.classList.remove("waiting");
      toast(error.message, true);
    }
  },
};

// ---- the chat

async function loadChat() {
  const chat = await get(`chat/${person}`);
  messages.replaceChildren();
  chat.messages.forEach((message) => show(message, false));
  showIntro();
  showReplyKeyboard(chat.reply_keyboard);
  setTyping(chat.typing ? 5 : 0);
  scrollToEnd();
}

function show(message, isNew) {
  messages.querySelector(".intro")?.remove();
  const element = bubble(message, actions);
  const old = messages.querySelector(`.bubble[data-message-id="${message.message_id}"]`);
  if (old) {
    old.replaceWith(element);
    return;
  }
  const isAtEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 140;
  if (isNew) element.classList.add("new");
  messages.append(element);
  if (isNew && (isAtEnd || !message.from_bot)) scrollToEnd();
}

function scrollToEnd() {
  messages.scrollTop = messages.scrollHeight;
  for (const picture of messages.querySelectorAll("img:not([data-seen])")) {
    picture.dataset.seen = "1";
    picture.addEventListener("load", () => { messages.scrollTop = messages.scrollHeight; }, { once: true });
  }
}

function showIntro() {
  if (messages.querySelector(".bubble") || messages.querySelector(".intro")) return;
  const { name = "Bot", description } = about.bot;
  const start = make("button", "", "Start");
  start.type = "button";
  start.addEventListener("click", () => send("/start"));
  messages.append(make("section", "intro", make("div", "avatar bot", name[0]), make("h2", "", name),
    make("p", "", description || "Say hello to start the chat."), start));
}

function showReplyKeyboard(markup) {
  const rows = markup?.keyboard ?? [];
  const element = $("#reply-keyboard");
  element.hidden = rows.length === 0;
  const shown = JSON.stringify(rows);
  if (element.dataset.shown !== shown) { // a button that is being pressed must stay
    element.dataset.shown = shown;
    element.replaceChildren(...replyKeyboard(rows, send));
  }
  composer.placeholder = markup?.input_field_placeholder ?? "Message";
  forcedReply = markup?.force_reply ? markup.message_id : null;
  if (forcedReply) composer.focus();
}

function setTyping(seconds) {
  clearTimeout(typingTimer);
  $("#bot-state").classList.toggle("typing", seconds > 0);
  if (seconds > 0) {
    $("#bot-state").textContent = "typing…";
    typingTimer = setTimeout(() => setTyping(0), seconds * 1000);
  } else {
    loadStateSoon();
  }
}

async function loadState() {
  const { bot, pending_updates: pending } = await get("status");
  if ($("#bot-state").classList.contains("typing")) return;
  const state = bot.webhook ? `webhook at ${new URL(bot.webhook).host}` : bot.polling ? "online" : "not running";
  $("#bot-state").textContent = pending && !bot.polling ? `${state} · ${pending} pending` : state;
}

// Many changes can arrive at once; one request after them is enough.
function loadStateSoon() {
  clearTimeout(stateTimer);
  stateTimer = setTimeout(() => loadState().catch(showOffline), 250);
}

function showOffline() {
  $("#bot-state").textContent = "server not reachable…";
}

// ---- people

async function loadAbout() {
  about = await get(`about?user_id=${person}`);
  $("#bot-name").textContent = about.bot.name;
  $("#bot-avatar").textContent = about.bot.name[0];
  document.title = `${about.bot.name} · Playground`;
  $("#commands").hidden = about.bot.commands.length === 0;
  $("#people").replaceChildren(...about.people.map(personButton));
  $("#person").replaceChildren(...about.people.map(({ id, name }) => new Option(name, id, false, id === person)));
  if (!$("#faults").children.length) makeFaults(about.fault_kinds, (error) => toast(error.message, true));
  showFaults(about.faults);
}

function personButton({ id, name, admin }) {
  const label = make("span", "", name.replace(/ \(.*/, ""), make("small", "", admin ? "admin" : "user"));
  const button = make("button", "person", make("span", `avatar tone-${id}`, name[0]), label);
  button.type = "button";
  button.dataset.userId = id;
  button.setAttribute("role", "radio");
  button.setAttribute("aria-checked", String(id === person));
  button.tabIndex = id === person ? 0 : -1;
  button.addEventListener("click", () => switchTo(id));
  return button;
}

async function switchTo(id) {
  person = id;
  localStorage.setItem("person", id);
  stopEdit();
  await loadAbout();
  await loadChat();
}

$("#people").addEventListener("keydown", async (event) => {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const ids = about.people.map(({ id }) => id);
  await switchTo(ids.at((ids.indexOf(person) + step) % ids.length));
  $('#people [aria-checked="true"]').focus();
});
$("#person").addEventListener("change", (event) => switchTo(Number(event.target.value)));

// ---- the composer

async function send(text) {
  try {
    if (editing) await post("edit", { user_id: person, message_id: editing.message_id, text });
    else await post("paste", { user_id: person, text, ...(forcedReply && { reply_to: forcedReply }) });
    return true;
  } catch (error) {
    toast(error.message, true);
    return false;
  }
}

$("#compose").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = composer.value;
  if (!text.trim()) return;
  setText("");
  const wasEditing = editing;
  if (await send(text)) stopEdit();
  else if (!composer.value) setText(wasEditing ? (wasEditing.text ?? wasEditing.caption) : text);
});

composer.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (chooseCommand(event)) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    $("#compose").requestSubmit();
  } else if (event.key === "Escape" && editing) {
    setText("");
    stopEdit();
  }
});
composer.addEventListener("input", resize);

function setText(text) {
  composer.value = text;
  resize();
}

function resize() {
  composer.style.height = "auto";
  composer.style.height = `${composer.scrollHeight}px`;
  $("#send").disabled = !composer.value.trim();
  const typed = /^\/(\w*)$/.exec(composer.value);
  showMenu(typed ? about.bot.commands.filter(({ command }) => command.startsWith(typed[1].toLowerCase())) : []);
}

function startEdit(message) {
  editing = message;
  $("#editing").hidden = false;
  setText(message.text ?? message.caption);
  composer.focus();
}

function stopEdit() {
  editing = null;
  $("#editing").hidden = true;
}
$("#cancel-edit").addEventListener("click", () => { setText(""); stopEdit(); });

// ---- the command menu

function showMenu(commands) {
  $("#menu").hidden = commands.length === 0;
  $("#commands").setAttribute("aria-expanded", String(commands.length > 0));
  $("#menu").replaceChildren(...commands.map(({ command, description }, index) => {
    const item = make("button", "", make("strong", "", `/${command}`), make("span", "", description));
    item.type = "button";
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(index === 0));
    item.addEventListener("click", () => { setText(""); send(`/${command}`); composer.focus(); });
    return item;
  }));
}

// While the menu is open it handles the arrow keys, Enter and Escape. Returns whether the menu handled the key.
function chooseCommand(event) {
  const items = [...$("#menu").children];
  if ($("#menu").hidden || !["ArrowDown", "ArrowUp", "Enter", "Escape"].includes(event.key)) return false;
  event.preventDefault();
  const index = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "Escape") showMenu([]);
  else if (event.key === "Enter") items[index].click();
  else {
    const next = items.at((index + (event.key === "ArrowDown" ? 1 : -1)) % items.length);
    items.forEach((item) => item.setAttribute("aria-selected", String(item === next)));
    next.scrollIntoView({ block: "nearest" });
  }
  return true;
}
$("#commands").addEventListener("click", () => {
  showMenu($("#menu").hidden ? about.bot.commands : []);
  composer.focus();
});
document.addEventListener("click", (event) => event.target.closest("#menu, #commands, #composer") || showMenu([]));

// ---- files

async function sendFile(file) {
  const kind = /^image\/(png|jpeg|gif)$/.test(file.type) ? "photo" : "document";
  const caption = composer.value.trim();
  try {
    await upload(kind, file, { user_id: person, caption });
    setText("");
  } catch (error) {
    toast(error.message, true);
  }
}

$("#attach").addEventListener("click", () => $("#file").click());
$("#file").addEventListener("change", async (event) => {
  for (const file of event.target.files) await sendFile(file);
  event.target.value = "";
});
composer.addEventListener("paste", (event) => [...event.clipboardData.files].forEach(sendFile));
$("#chat").addEventListener("dragover", (event) => { event.preventDefault(); $("#drop").hidden = false; });
$("#chat").addEventListener("dragleave", (event) => { $("#drop").hidden = $("#chat").contains(event.relatedTarget) === false; });
$("#chat").addEventListener("drop", (event) => {
  event.preventDefault();
  $("#drop").hidden = true;
  [...event.dataTransfer.files].forEach(sendFile);
});

// ---- toasts, tools and changes

function toast(text, isError = false) {
  clearTimeout(toastTimer);
  $("#toast").textContent = text.replace(/^Bad Request: /, "");
  $("#toast").classList.toggle("error", isError);
  $("#toast").hidden = false;
  toastTimer = setTimeout(() => { $("#toast").hidden = true; }, 3500);
}

function showCallbackAnswer({ callback_id: id, user_id: user, text, show_alert: alert }) {
  waiting.get(id)?.classList.remove("waiting");
  waiting.delete(id);
  if (user !== person || !text) return;
  if (!alert) return toast(text);
  $("#alert-text").textContent = text;
  $("#alert").showModal();
}

function openTools(open) {
  $("#tools").classList.toggle("open", open);
  $("#toggle-tools").setAttribute("aria-expanded", String(open));
  (open ? $("#close-tools") : $("#toggle-tools")).focus();
}
$("#toggle-tools").addEventListener("click", () => openTools(!$("#tools").classList.contains("open")));
$("#close-tools").addEventListener("click", () => openTools(false));
$("#tools").addEventListener("keydown", (event) => event.key === "Escape" && openTools(false));
$("#reset").addEventListener("click", () => post("reset").catch((error) => toast(error.message, true)));

const isCurrentChat = (change) => change.chat_id === person;
const onChange = {
  message: (change) => isCurrentChat(change) && show(change.message, true),
  edit: (change) => isCurrentChat(change) && show(change.message, false),
  delete: (change) => {
    if (isCurrentChat(change)) messages.querySelector(`.bubble[data-message-id="${change.message_id}"]`)?.remove();
    showIntro();
  },
  typing: (change) => isCurrentChat(change) && setTyping(change.seconds),
  keyboard: (change) => isCurrentChat(change) && showReplyKeyboard(change.reply_keyboard),
  callback_answer: showCallbackAnswer,
  call: (change) => addCall(change.call),
  faults: (change) => showFaults(change.faults),
  profile: loadAbout,
  status: loadStateSoon,
  reset: loadAll,
};

async function loadAll() {
  await loadAbout();
  await Promise.all([loadChat(), loadCalls()]);
}

subscribe(loadAll, (change) => onChange[change.type]?.(change), showOffline);
setInterval(loadStateSoon, 5000); // a bot that stops polling does not send an event
composer.focus();
