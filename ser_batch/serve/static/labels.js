"use strict";

const at = (id) => document.getElementById(id);
const CANNOT_TELL = "cannot_tell";
const ERASED = 410;
let annotator = "";
let question = null;
let busy = false;

/** A request below /labels; throws what the server says if it refuses. */
async function request(path, body) {
  const options = body && { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`/labels/${path}`, options);
  const content = await response.json();
  if (!response.ok) throw Object.assign(new Error(content.error), { status: response.status });
  return content;
}

const next = () => request(`question?annotator=${encodeURIComponent(annotator)}`);

/** Do one thing at a time; an error is shown and nothing is lost. */
async function once(action) {
  if (busy) return;
  setBusy(true);
  try {
    show(await action());
  } catch (error) {
    if (error.status === ERASED) show(await next());
    at("status").textContent = error.status
      ? error.message
      : "The program does not answer: is it still running? Your answers so far are kept.";
  } finally {
    setBusy(false);
  }
}

function setBusy(value) {
  busy = value;
  for (const button of document.querySelectorAll("#work button")) {
    button.setAttribute("aria-disabled", String(value));
  }
}

function show(following) {
  question = following;
  at("who").hidden = true;
  at("work").hidden = false;
  at("progress").textContent = `${question.done} of ${question.total} done`;
  at("bar").max = Math.max(question.total, 1);
  at("bar").value = question.done;
  for (const id of ["choices", "cannot", "play"]) at(id).hidden = question.segment === null;
  if (at("choices").childElementCount === 0) makeChoices(question.emotions);
  if (question.segment === null) {
    at("sound").removeAttribute("src");
    at("status").textContent = "That was the last one. Thank you!";
    return;
  }
  at("status").textContent = "";
  at("sound").src = `/labels/sound/${question.segment}.wav`;
  play();
}

function makeChoices(emotions) {
  emotions.forEach((emotion, number) => {
    const button = document.createElement("button");
    const key = document.createElement("kbd");
    button.type = "button";
    button.append(emotion, " ", key);
    key.textContent = String(number + 1);
    button.addEventListener("click", () => answer(emotion));
    at("choices").append(button);
  });
}

const UNPLAYED = {
  NotAllowedError: "Press space to play it.",
  NotSupportedError: "The sound is not there any more: say that you can’t tell.",
};

function play() {
  at("sound").currentTime = 0;
  at("sound").play().catch((error) => {
    if (error.name in UNPLAYED) at("status").textContent = UNPLAYED[error.name];
  });
}

function answer(emotion) {
  const segment = question && question.segment;
  if (segment) once(() => request("answer", { annotator, segment, emotion }));
}

const undo = () => once(() => request("undo", { annotator }));

at("who").addEventListener("submit", (event) => {
  event.preventDefault();
  annotator = at("annotator").value.trim();
  localStorage.setItem("annotator", annotator);
  if (annotator) once(next);
});
at("play").addEventListener("click", play);
at("cannot").addEventListener("click", () => answer(CANNOT_TELL));
at("undo").addEventListener("click", undo);

document.addEventListener("keydown", (event) => {
  if (at("work").hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const number = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
  const emotion = question && question.emotions[number - 1];
  if (emotion) answer(emotion);
  else if (event.key === "0") answer(CANNOT_TELL);
  else if (event.key === "u" || event.key === "Backspace") undo();
  else if (event.key === " " && question && question.segment) play();
  else return;
  event.preventDefault();
});

at("annotator").value ||= localStorage.getItem("annotator") || "";
document.querySelector("#who :is(input:not([type=hidden]), button)").focus();
