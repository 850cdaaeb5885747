// The chat page: connects its parts with the server's stream of changes.

import "./attachments.js";
import { loadStateSoon, remove, setTyping, show, showAll, showOffline } from "./chat.js";
import { listenForCommands } from "./command_menu.js";
import { send, setText, showReplyKeyboard, startEdit, stopEdit } from "./composer.js";
import { $ } from "./dom.js";
import { listenForLesson, loadLesson, showLesson } from "./lesson.js";
import { alert, confirm, showError, toast } from "./notices.js";
import { listenForSwitches, showPeople } from "./people.js";
import { choosePerson, loadAbout, session } from "./session.js";
import { get, post, subscribe } from "./sim.js";
import { addCall, loadCalls, makeFaults, showFaults } from "./tools.js";

const waiting = new Map(); // callback id -> the message and the button that wait for an answer

const actions = {
  command: send,
  edit: startEdit,
  copy: (text) => navigator.clipboard.writeText(text).then(() => toast("Copied"), showError),
  inlineQuery(query) {
    setText(`@${session.about.bot.username} ${query}`);
    $("#composer").focus();
  },
  enlarge(source, description) {
    $("#picture img").src = source;
    $("#picture img").alt = description;
    $("#picture").showModal();
  },
  async delete(message) {
    if (!(await confirm("Delete this message for you and the bot?", "Delete"))) return;
    await post("delete", { user_id: session.person, message_id: message.message_id }).catch(showError);
  },
  async tap(messageId, button, element) {
    element.classList.add("waiting");
    try {
      const { callback_id: id } = await post("tap", {
        chat_id: session.person, message_id: messageId, label: button.text, data: button.callback_data,
      });
      waiting.set(id, element);
    } catch (error) {
      element.classList.remove("waiting");
      showError(error);
    }
  },
};

async function loadChat() {
  const chat = await get(`chat/${session.person}`);
  showAll(chat.messages, actions);
  showReplyKeyboard(chat.reply_keyboard);
  setTyping(chat.typing ? 5 : 0);
}

async function loadPerson() {
  const { bot, fault_kinds: kinds, faults } = await loadAbout();
  $("#bot-name").textContent = bot.name;
  $("#bot-avatar").textContent = bot.name[0];
  document.title = `${bot.name} · Playground`;
  $("#commands").hidden = bot.commands.length === 0;
  showPeople(switchTo);
  if (!$("#faults").children.length) makeFaults(kinds, showError);
  showFaults(faults);
}

function switchTo(id) {
  choosePerson(id);
  stopEdit();
  return load(async () => {
    await loadPerson();
    showLesson();
    await loadChat();
  });
}

const loadAll = () => load(async () => {
  await loadPerson();
  await Promise.all([loadChat(), loadCalls(), loadLesson()]);
});

// Changes wait until loading is done, because the response may be older than a change that arrives before it.
let loading = Promise.resolve();
function load(work) {
  loading = work().catch(showOffline);
  return loading;
}

function showCallbackAnswer({ callback_id: id, user_id: user, text, show_alert: isAlert }) {
  waiting.get(id)?.classList.remove("waiting");
  waiting.delete(id);
  if (user !== session.person || !text) return;
  if (isAlert) alert(text);
  else toast(text);
}

function openTools(open) {
  $("#tools").classList.toggle("open", open);
  $("#toggle-tools").setAttribute("aria-expanded", String(open));
  (open ? $("#close-tools") : $("#toggle-tools")).focus();
}

async function clear() {
  if (await confirm("Clear all chats, calls and faults? This can't be undone. The bot keeps what it has stored.", "Clear all")) {
    await post("reset").catch(showError);
  }
}

const isCurrentChat = (change) => change.chat_id === session.person;
const onChange = {
  message: (change) => isCurrentChat(change) && show(change.message, actions, true),
  edit: (change) => isCurrentChat(change) && show(change.message, actions),
  delete: (change) => isCurrentChat(change) && remove(change.message_id, actions),
  typing: (change) => isCurrentChat(change) && setTyping(change.seconds),
  keyboard: (change) => isCurrentChat(change) && showReplyKeyboard(change.reply_keyboard),
  callback_answer: showCallbackAnswer,
  call: (change) => addCall(change.call),
  faults: (change) => showFaults(change.faults),
  lesson: (change) => showLesson(change.lesson),
  profile: loadPerson,
  status: loadStateSoon,
  reset: loadAll,
};

listenForSwitches(switchTo);
listenForLesson(switchTo);
listenForCommands((command) => { setText(""); send(command); });
$("#toggle-tools").addEventListener("click", () => openTools(!$("#tools").classList.contains("open")));
$("#close-tools").addEventListener("click", () => openTools(false));
$("#tools").addEventListener("keydown", (event) => event.key === "Escape" && $("#tools").classList.contains("open") && openTools(false));
$("#reset").addEventListener("click", clear);
subscribe(loadAll, (change) => loading.then(() => onChange[change.type]?.(change)), showOffline);
setInterval(loadStateSoon, 5000); // a bot that stops polling does not send an event
if (matchMedia("(hover: hover)").matches) $("#composer").focus(); // on a phone, the focus would open its keyboard
