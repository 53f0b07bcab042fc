"use strict";
// The player of a call: its two sides as waveforms, played from the server without a copy on disk.

const player = document.getElementById("player");
const audio = document.getElementById("audio");
const position = document.getElementById("position");
const duration = Number(player.dataset.duration);
const WIDTH = 1000, STEP_S = 5, LONG_STEP_S = 30;
let gains = null;

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Waveforms of all channels; one that both sides share is drawn once for each. */
async function drawWaves() {
  const response = await fetch(`${player.dataset.call}/peaks`);
  const content = await response.json();
  if (!response.ok) return say(`The recording cannot be played: ${content.error}.`);
  player.querySelectorAll("path.wave").forEach((path, side) => {
    const bins = content.channels[Math.min(side, content.channels.length - 1)];
    const step = content.duration_s / duration * WIDTH / bins.length;
    path.setAttribute("d", bins.map(([low, high], at) =>
      `M${((at + .5) * step).toFixed(1)},${(1 - high / 128).toFixed(3)}V${(1 - low / 128 + .005).toFixed(3)}`).join(""));
  });
  for (const button of player.querySelectorAll(".mute")) button.hidden = content.channels.length < 2;
}

const say = (text) => { document.getElementById("trouble").textContent = text; };

/** Sides reach both ears; each has a volume of its own. Made at the first sound: browsers want a click. */
function connect() {
  if (gains) return;
  const context = new AudioContext();
  const splitter = context.createChannelSplitter(2);
  context.createMediaElementSource(audio).connect(splitter);
  gains = [0, 1].map((channel) => {
    const gain = context.createGain();
    splitter.connect(gain, channel);
    gain.connect(context.destination);
    return gain;
  });
  gains.context = context;
  setGains();
}

function setGains() {
  const mutes = [...player.querySelectorAll(".mute:not([hidden])")];
  if (!gains || mutes.length === 0) return;
  for (const button of mutes) {
    gains[Number(button.dataset.channel)].gain.value = button.getAttribute("aria-pressed") === "true" ? 1 : 0;
  }
}

function play() {
  const mayBeMuted = player.querySelector(".mute:not([hidden])");
  if (mayBeMuted) connect();
  gains?.context.resume();
  audio.play().catch((error) => {
    if (error.name !== "AbortError") say("The recording cannot be played: is the program still running?");
  });
}

const toggle = () => (audio.paused ? play() : audio.pause());

function seek(seconds) {
  audio.currentTime = Math.max(0, Math.min(seconds, duration));
  show();
}

function show() {
  const at = audio.currentTime;
  const head = player.querySelector(".playhead");
  head.hidden = false;
  head.style.left = `${Math.min(at / duration, 1) * 100}%`;
  document.getElementById("time").textContent = `${clock(at)} of ${clock(duration)}`;
  position.setAttribute("aria-valuenow", String(Math.round(at)));
  position.setAttribute("aria-valuetext", clock(at));
  for (const row of document.querySelectorAll("tr[data-start]")) {
    row.classList.toggle("now", at >= Number(row.dataset.start) && at < Number(row.dataset.end));
  }
  document.dispatchEvent(new CustomEvent("position", { detail: at }));
}

function showState() {
  const button = document.getElementById("play");
  button.classList.toggle("playing", !audio.paused);
  button.querySelector(".word").textContent = audio.paused ? "Play" : "Pause";
}

function placeOf(event) {
  const box = position.getBoundingClientRect();
  return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * duration;
}

const KEYS = {
  " ": toggle,
  ArrowLeft: (event) => seek(audio.currentTime - (event.shiftKey ? LONG_STEP_S : STEP_S)),
  ArrowRight: (event) => seek(audio.currentTime + (event.shiftKey ? LONG_STEP_S : STEP_S)),
};
const ON_SLIDER = {
  Home: () => seek(0),
  End: () => seek(duration),
  ArrowUp: KEYS.ArrowRight,
  ArrowDown: KEYS.ArrowLeft,
};

function listen() {
  document.getElementById("play").addEventListener("click", toggle);
  document.getElementById("speed").addEventListener("change", (event) => {
    audio.playbackRate = Number(event.target.value);
  });
  for (const button of player.querySelectorAll(".seek")) {
    button.addEventListener("click", () => seek(audio.currentTime + Number(button.dataset.by)));
  }
  for (const button of document.querySelectorAll(".play-at")) {
    button.addEventListener("click", () => { seek(Number(button.dataset.at)); play(); });
  }
  for (const button of player.querySelectorAll(".mute")) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      setGains();
    });
  }
  position.addEventListener("pointerdown", (event) => {
    position.setPointerCapture(event.pointerId);
    seek(placeOf(event));
  });
  position.addEventListener("pointermove", (event) => {
    if (position.hasPointerCapture(event.pointerId)) seek(placeOf(event));
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (target.matches("input, textarea, select, audio")) return;
    if (event.key === " " && target.closest("button, a, summary")) return;
    const action = KEYS[event.key] ?? (target === position ? ON_SLIDER[event.key] : undefined);
    if (!action) return;
    event.preventDefault();
    action(event);
  });
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, showState);
  audio.addEventListener("timeupdate", show);
}

for (const tick of player.querySelectorAll("[data-share]")) tick.style.left = `${tick.dataset.share * 100}%`;
if (audio) {
  listen();
  const start = () => seek(Number(player.dataset.start));
  if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) start();
  else audio.addEventListener("loadedmetadata", start, { once: true });
  drawWaves();
} else {
  for (const button of document.querySelectorAll(".play-at")) button.disabled = true;
}
