// The composer: sends and edits texts, and shows the bot's reply keyboard below.

import { replyKeyboard } from "./bubbles.js";
import { chooseCommand, showMenu } from "./command_menu.js";
import { $ } from "./dom.js";
import { showError } from "./notices.js";
import { session } from "./session.js";
import { post } from "./sim.js";

const composer = $("#composer");
let editing = null;
let forcedReply = null; // the message that a ForceReply asks to reply to

// Sends or edits a text as the current person. Returns whether the server accepted it.
export async function send(text) {
  try {
    if (editing) await post("edit", { user_id: session.person, message_id: editing.message_id, text });
    else await post("paste", { user_id: session.person, text, ...(forcedReply && { reply_to: forcedReply }) });
    return true;
  } catch (error) {
    showError(error);
    return false;
  }
}

export function setText(text) {
  composer.value = text;
  resize();
}

function resize() {
  composer.style.height = "auto";
  composer.style.height = `${composer.scrollHeight}px`;
  $("#send").disabled = !composer.value.trim();
  const typed = /^\/(\w*)$/.exec(composer.value);
  const { commands } = session.about.bot;
  showMenu(typed ? commands.filter(({ command }) => command.startsWith(typed[1].toLowerCase())) : []);
}

const textOf = (message) => message.text ?? message.caption;

export function startEdit(message) {
  editing = message;
  $("#editing").hidden = false;
  setText(textOf(message));
  composer.focus();
}

export function stopEdit() {
  editing = null;
  $("#editing").hidden = true;
}

function cancelEdit() {
  setText("");
  stopEdit();
  composer.focus();
}

export function showReplyKeyboard(markup) {
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

$("#compose").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = composer.value;
  if (!text.trim()) return;
  setText("");
  const edited = editing;
  if (await send(text)) stopEdit();
  else if (!composer.value) setText(edited ? textOf(edited) : text);
});

composer.addEventListener("keydown", (event) => {
  if (event.isComposing || chooseCommand(event)) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    $("#compose").requestSubmit();
  } else if (event.key === "Escape" && editing) {
    cancelEdit();
  }
});
composer.addEventListener("input", resize);
$("#cancel-edit").addEventListener("click", cancelEdit);
