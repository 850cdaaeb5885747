// Renders one message as a bubble: reply, media, text, time, buttons.

import { make, makeButton } from "./dom.js";
import { richText } from "./rich_text.js";

const timeOf = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

// `actions` are what the chat's controls do: tap, command, edit, delete, enlarge, copy and inlineQuery.
export function bubble(message, actions) {
  const element = make("article", message.from_bot ? "bubble from-bot" : "bubble");
  element.dataset.messageId = message.message_id;
  element.tabIndex = -1; // receives the focus when the control that had it is gone
  element.setAttribute("aria-label", message.from_bot ? "From the bot" : `From ${message.from.first_name}`);
  if (message.forward_origin) element.append(make("p", "forwarded", `Forwarded from ${message.forward_origin.chat.title}`));
  if (message.reply_to_message) element.append(reply(message.reply_to_message, message.quote));
  element.append(...media(message, actions));
  const text = message.text ?? message.caption;
  if (text) element.append(richText(text, message.entities ?? message.caption_entities, actions.command));
  element.append(meta(message, actions));
  if (message.buttons.length) element.append(keyboard(message, actions));
  return element;
}

function reply(to, quote) {
  const name = make("strong", "", to.from.first_name);
  const text = make("span", "", quote?.text ?? to.text ?? to.caption ?? "a file");
  return makeButton("reply", () => {
    document.querySelector(`.bubble[data-message-id="${to.message_id}"]`)?.scrollIntoView({ block: "center" });
  }, name, text);
}

function meta(message, actions) {
  const element = make("div", "meta");
  if (!message.from_bot && (message.text || message.caption) && !message.forward_origin) {
    element.append(makeButton("", () => actions.edit(message), "Edit"));
  }
  element.append(makeButton("", () => actions.delete(message), "Delete"));
  if (message.edited) element.append(make("span", "edited", "edited"));
  const time = make("time", "", timeOf.format(message.date * 1000));
  time.dateTime = new Date(message.date * 1000).toISOString();
  element.append(time);
  return element;
}

function media(message, actions) {
  if (message.photo) return [photo(message, actions)];
  if (message.sticker) return [make("div", "sticker", message.sticker.emoji)];
  const file = message.document ?? message.voice ?? message.video;
  if (!file) return [];
  const name = message.voice ? "Voice message" : (message.video ? "Video" : (file.file_name ?? "File"));
  const detail = message.voice ? `${file.duration} s` : size(file.file_size);
  const link = make("a", "file", make("span", "glyph", message.voice ? "♪" : "↓"), make("span", "", name, make("small", "", detail)));
  link.href = `/sim/file/${file.file_id}`;
  link.download = name;
  return [link];
}

function photo(message, actions) {
  const { file_id: id, width, height } = message.photo.at(-1);
  const picture = make("img", "photo");
  picture.src = `/sim/file/${id}`;
  picture.alt = message.caption ? "Picture, described below" : "Picture";
  picture.width = width;
  picture.height = height;
  const element = makeButton("enlarge", () => actions.enlarge(picture.src, picture.alt), picture);
  element.title = "Enlarge";
  return element;
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function keyboard(message, actions) {
  const rows = message.buttons.map((row) => make("div", "", ...row.map((button) => keyboardButton(message, button, actions))));
  const element = make("div", "keyboard", ...rows);
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Buttons");
  return element;
}

function keyboardButton(message, button, actions) {
  const address = button.url ?? button.web_app?.url ?? button.login_url?.url;
  if (address) {
    const link = make("a", "", button.text);
    link.href = address;
    link.target = "_blank";
    link.rel = "noreferrer";
    return link;
  }
  const style = button.style ?? "";
  if (button.copy_text) return makeButton(style, () => actions.copy(button.copy_text.text), button.text);
  if (button.callback_data === undefined) {
    const query = button.switch_inline_query ?? button.switch_inline_query_current_chat ?? button.switch_inline_query_chosen_chat?.query;
    return makeButton(style, () => actions.inlineQuery(query ?? ""), button.text);
  }
  const element = makeButton(style, () => actions.tap(message.message_id, button, element), button.text);
  element.dataset.callback = button.callback_data;
  return element;
}

// The buttons that replace the person's keyboard. `onText` receives the text of the pressed button.
export function replyKeyboard(rows, onText) {
  return rows.map((row) => make("div", "", ...row.map((button) => (
    makeButton(button.style ?? "", () => onText(button.text), button.text)
  ))));
}
