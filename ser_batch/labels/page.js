"use strict";

const at = (id) => document.getElementById(id);
const token = location.hash.slice(1);
const CANNOT_TELL = "cannot_tell";
let annotator = "";
let question = null;
let busy = false;

/** A request with the token; throws what the server says if it refuses. */
async function request(path, body) {
  const options = { headers: { Authorization: `Bearer ${token}` } };
  if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  const response = await fetch(path, options);
  if (response.status === 403) throw new Error("Open the address that the terminal shows: its token is missing here.");
  if (response.headers.get("Content-Type") !== "application/json") {
    if (!response.ok) throw new Error("The sound is not there any more: say that you can’t tell.");
    return response.blob();
  }
  const content = await response.json();
  if (!response.ok) throw new Error(content.error);
  return content;
}

/** Do one thing at a time; an error is shown and nothing is lost. */
async function once(action) {
  if (busy) return;
  setBusy(true);
  try {
    await show(await action());
  } catch (error) {
    at("status").textContent = error instanceof TypeError
      ? "The program does not answer: is it still running? Your answers so far are kept."
      : error.message;
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

async function show(next) {
  question = next;
  at("who").hidden = true;
  at("work").hidden = false;
  at("progress").textContent = `${next.done} of ${next.total} done`;
  at("bar").max = Math.max(next.total, 1);
  at("bar").value = next.done;
  for (const id of ["choices", "cannot", "play"]) at(id).hidden = next.segment === null;
  if (at("choices").childElementCount === 0) makeChoices(next.emotions);
  if (next.segment === null) {
    at("sound").removeAttribute("src");
    at("status").textContent = "That was the last one. Thank you!";
    return;
  }
  at("status").textContent = "";
  const sound = await request(`sound/${next.segment}.wav`);
  URL.revokeObjectURL(at("sound").src);
  at("sound").src = URL.createObjectURL(sound);
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

function play() {
  at("sound").currentTime = 0;
  at("sound").play().catch(() => { at("status").textContent = "Press space to play it."; });
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
  if (annotator) once(() => request(`question?annotator=${encodeURIComponent(annotator)}`));
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

at("annotator").value = localStorage.getItem("annotator") || "";
at("annotator").focus();
