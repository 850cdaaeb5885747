// Sends files, albums and forwarded posts. A text in the composer becomes a file's caption.

import { setText } from "./composer.js";
import { $ } from "./dom.js";
import { showError } from "./notices.js";
import { session } from "./session.js";
import { post, upload } from "./sim.js";

const KINDS = [[/^image\/(png|jpeg|gif)$/, "photo"], [/^video\//, "video"], [/^audio\//, "voice"]];
const menu = $("#attach-menu");

async function sendFile(file) {
  const kind = KINDS.find(([type]) => type.test(file.type))?.[1] ?? "document";
  try {
    await upload(kind, file, { user_id: session.person, caption: $("#composer").value.trim() });
    setText("");
  } catch (error) {
    showError(error);
  }
}

// An album repeats one picture, once for each line of captions.
async function sendAlbum(form) {
  const captions = form.captions.value.split("\n").map((line) => line.trim());
  await upload("album", form.photo.files[0], { user_id: session.person, captions: JSON.stringify(captions) }, "photo");
}

async function sendForward(form) {
  await post("forward", { user_id: session.person, text: form.text.value, channel: form.channel.value });
}

function openMenu(open) {
  menu.hidden = !open;
  $("#attach").setAttribute("aria-expanded", String(open));
  if (open) menu.firstElementChild.focus();
}

$("#attach").addEventListener("click", () => openMenu(menu.hidden));
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  openMenu(false);
  $("#attach").focus();
});
document.addEventListener("click", (event) => event.target.closest("#attach-menu, #attach") || openMenu(false));
menu.addEventListener("click", () => openMenu(false));
$("#choose-file").addEventListener("click", () => $("#file").click());
$("#choose-album").addEventListener("click", () => $("#album").showModal());
$("#choose-forward").addEventListener("click", () => $("#forward").showModal());

// Sends a dialog's form. The dialog stays open if the server refuses it.
function listenForForm(dialog, sendForm) {
  const form = dialog.querySelector("form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = dialog.querySelector(".error");
    error.textContent = "";
    try {
      await sendForm(form.elements);
      form.reset();
      dialog.close();
    } catch (reason) {
      error.textContent = reason.message.replace(/^Bad Request: /, "");
    }
  });
  dialog.querySelector(".cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => $("#composer").focus());
}
listenForForm($("#album"), sendAlbum);
listenForForm($("#forward"), sendForward);

$("#file").addEventListener("change", async (event) => {
  for (const file of event.target.files) await sendFile(file);
  event.target.value = "";
});
$("#composer").addEventListener("paste", (event) => [...event.clipboardData.files].forEach(sendFile));
const chat = $("#chat");
chat.addEventListener("dragover", (event) => { event.preventDefault(); $("#drop").hidden = false; });
chat.addEventListener("dragleave", (event) => { $("#drop").hidden = !chat.contains(event.relatedTarget); });
chat.addEventListener("drop", (event) => {
  event.preventDefault();
  $("#drop").hidden = true;
  [...event.dataTransfer.files].forEach(sendFile);
});
