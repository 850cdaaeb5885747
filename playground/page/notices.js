// Toasts, and dialogs that inform or ask.

import { $ } from "./dom.js";

const SHOWN_MS = 3500;
let timer;

export function toast(text, isError = false) {
  clearTimeout(timer);
  $("#toast").textContent = text.replace(/^Bad Request: /, "");
  $("#toast").classList.toggle("error", isError);
  timer = setTimeout(() => { $("#toast").textContent = ""; }, SHOWN_MS);
}

export const showError = (error) => toast(error.message, true);

export function alert(text) {
  $("#alert-text").textContent = text;
  $("#alert").showModal();
}

// Asks a question. Resolves to whether the person chose `action`. The focus returns to where it was.
export function confirm(question, action) {
  const dialog = $("#confirm");
  $("#confirm-text").textContent = question;
  $("#confirm-yes").textContent = action;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
