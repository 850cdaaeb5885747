// The first lesson: the current step, its sample texts and the progress, all of which the server knows.

import { send } from "./composer.js";
import { $, makeButton } from "./dom.js";
import { showError } from "./notices.js";
import { nameOf, session } from "./session.js";
import { get, post } from "./sim.js";

const panel = $("#lesson");
let lesson = null;
let switchTo;

export function listenForLesson(onSwitch) {
  switchTo = onSwitch;
  $("#lesson-hide").addEventListener("click", () => hide(true));
  $("#lesson-show").addEventListener("click", () => hide(false));
  $("#lesson-skip").addEventListener("click", () => post("skip_step", { name: lesson.current }).catch(showError));
  $("#lesson-all").addEventListener("click", sendAll);
  $("#lesson-switch").addEventListener("click", () => switchTo(currentStep().person));
}

export async function loadLesson() {
  showLesson(await get("lesson"));
}

const currentStep = () => lesson.steps.find(({ name }) => name === lesson.current);

// Shows the lesson as the server described it last, or as it describes it now. The focus stays in the panel.
export function showLesson(described = lesson) {
  lesson = described;
  const isHidden = lesson === null || lesson.hidden;
  const focused = panel.contains(document.activeElement) ? document.activeElement : null;
  panel.hidden = isHidden;
  $("#lesson-show").hidden = lesson === null || !lesson.hidden;
  if (isHidden) return;
  $("#lesson-title").textContent = lesson.title;
  const step = currentStep();
  if (step) showStep(step);
  else showEnd();
  if (focused && !panel.contains(document.activeElement)) keepFocus(focused);
}

function showStep(step) {
  const number = lesson.steps.indexOf(step) + 1;
  const isTheirs = step.person === session.person;
  const unsent = step.samples.filter((text) => !step.sent.includes(text));
  $("#lesson-step").textContent = `Step ${number} of ${lesson.steps.length}: ${step.title}`;
  $("#lesson-text").textContent = step.text;
  setText($("#lesson-count"), step.unit ? `${step.counted} of ${step.count} ${step.unit}` : "");
  $("#lesson-progress").hidden = !step.unit;
  $("#lesson-progress").max = step.count;
  $("#lesson-progress").value = step.counted;
  $("#lesson-switch").hidden = isTheirs;
  $("#lesson-switch").textContent = `Switch to ${nameOf(step.person)}`;
  $("#samples").hidden = !isTheirs || unsent.length === 0;
  $("#samples").replaceChildren(...unsent.map((text) => makeButton("sample", () => send(text), text)));
  $("#lesson-all").hidden = !isTheirs || unsent.length < 2;
  $("#lesson-all").textContent = `Send all ${unsent.length}`;
  $("#lesson-skip").hidden = false;
}

function showEnd() {
  $("#lesson-step").textContent = "Done";
  $("#lesson-text").textContent = lesson.end;
  setText($("#lesson-count"), "");
  for (const id of ["#lesson-progress", "#lesson-switch", "#samples", "#lesson-all", "#lesson-skip"]) $(id).hidden = true;
}

// A screen reader announces the count only if it changes.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A sample disappears when it is sent, and the next one gets the focus.
function keepFocus(focused) {
  const isThere = focused.isConnected && focused.checkVisibility();
  const target = isThere ? focused : panel.querySelector(".sample, .lesson-foot button:not([hidden])");
  (target?.checkVisibility() ? target : $("#lesson-hide")).focus();
}

async function sendAll() {
  const step = currentStep();
  for (const text of step.samples.filter((one) => !step.sent.includes(one))) {
    if (!(await send(text))) return;
  }
}

async function hide(hidden) {
  try {
    await post("hide_lesson", { hidden });
    (hidden ? $("#composer") : $("#lesson-hide")).focus();
  } catch (error) {
    showError(error);
  }
}
