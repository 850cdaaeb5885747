// The tools pane: fault switches and the bot's calls.

import { make, neighbour } from "./dom.js";
import { get, post } from "./sim.js";

const SHOWN_CALLS = 200;
const NAMES = {
  400: "Bad request (400)", 401: "Unauthorized (401)", 403: "Blocked by the user (403)", 409: "Conflict (409)",
  429: "Too many requests (429)", migrate: "Group migrated (400)", 500: "Server error (500)",
  html_502: "HTML instead of JSON (502)", hang: "No response", slow: "Delayed by 3 seconds",
  dropped_before: "Connection dropped, not processed", answer_lost: "Processed, response lost",
  duplicate_update: "Duplicate update", out_of_order: "Updates out of order",
};

const list = document.querySelector("#calls");
let total = 0;
let newest = 0; // the number of the newest call, which may arrive both in a response and as a change

export function addCall(call) {
  if (call.seq <= newest) return;
  newest = call.seq;
  total += 1;
  const outcome = call.fault ?? (call.ok ? "ok" : String(call.result?.error_code ?? "refused"));
  const summary = make("summary", "", make("span", "seq", String(call.seq)), make("span", "name", call.method), make("span", "outcome", outcome));
  const details = make("pre", "", JSON.stringify({ params: call.params, result: call.result }, null, 2));
  summary.tabIndex = list.children.length ? -1 : 0;
  list.prepend(make("li", "", make("details", call.ok && !call.fault ? "" : "refused", summary, details)));
  while (list.children.length > SHOWN_CALLS) removeOldest();
  count("#call-count", total);
  document.querySelector("#no-calls").hidden = true;
}

function removeOldest() {
  const wasStop = list.lastChild.querySelector('summary[tabindex="0"]');
  list.lastChild.remove();
  if (wasStop) list.querySelector("summary").tabIndex = 0;
}

// The list is one stop for the Tab key; the arrow keys, Home and End move inside it.
list.addEventListener("keydown", (event) => {
  const summaries = [...list.querySelectorAll("summary")];
  const target = neighbour(event, summaries);
  if (!target) return;
  event.preventDefault();
  target.focus();
});
list.addEventListener("focusin", (event) => {
  for (const one of list.querySelectorAll('summary[tabindex="0"]')) one.tabIndex = -1;
  event.target.closest("li").querySelector("summary").tabIndex = 0;
});

export async function loadCalls() {
  const calls = await get("outbox");
  total = 0;
  newest = 0;
  list.replaceChildren();
  document.querySelector("#no-calls").hidden = false;
  count("#call-count", 0);
  calls.forEach(addCall);
}

export function makeFaults(kinds, onError) {
  const method = document.querySelector("#fault-method");
  document.querySelector("#faults").replaceChildren(
    ...kinds.map((kind) => {
      const box = make("input");
      box.type = "checkbox";
      box.setAttribute("role", "switch");
      box.dataset.fault = kind;
      box.addEventListener("change", () => {
        const request = box.checked ? post("fault", { kind, method: method.value }) : post("cancel_fault", { kind });
        request.catch(onError);
      });
      return make("label", "switch", make("span", "", NAMES[kind] ?? kind), box);
    }),
  );
}

export function showFaults(faults) {
  const kinds = new Set(faults.map((fault) => fault.kind));
  for (const box of document.querySelectorAll("#faults input")) box.checked = kinds.has(box.dataset.fault);
  count("#fault-count", faults.reduce((sum, fault) => sum + fault.times, 0));
}

function count(selector, number) {
  const element = document.querySelector(selector);
  element.textContent = number;
  element.hidden = number === 0;
}
