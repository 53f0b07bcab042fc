// -- the list of calls ------------------------------------------------------------------------------------------------

const MORE = 20;
let nShown = data.priorityCalls;
const player = byId("player");
let playing = null;

const words = (call) => [call.call, ...call.facets, call.path, call.why, call.reviewed ?? ""].join("\n").toLowerCase();
for (const call of CALLS) call.words = words(call);

const CALL_RULES = {
  from: (call) => call.day >= choice.from, to: (call) => call.day <= choice.to, day: (call) => call.day === choice.day,
  weekday: (call) => WEEKDAYS[weekdayOf(call.day)] === choice.weekday, hour: (call) => call.hour === Number(choice.hour),
  arc: (call) => call.arc === choice.arc,
  search: (call) => choice.search.toLowerCase().split(/\s+/).every((word) => call.words.includes(word)),
  ...Object.fromEntries(FACET_KEYS.map((key, at) => [key, (call) => call.facets[at] === choice[key]])),
};

const falling = (value) => (a, b) => value(b) - value(a) || a.place - b.place;
const ORDERS = {
  index: falling((call) => call.index), end: falling((call) => call.end ?? -1), peak: falling((call) => call.peak),
  length: falling((call) => call.length), newest: (a, b) => b.day.localeCompare(a.day) || b.hour - a.hour || a.place - b.place,
};

function fittingCalls() {
  const rules = Object.keys(CALL_RULES).filter((key) => choice[key] !== null).map((key) => CALL_RULES[key]);
  return CALLS.filter((call) => (isTimeChosen() || call.isOfPeriod) && rules.every((fits) => fits(call))).sort(ORDERS[choice.sort]);
}

function picture(call) {
  const length = Math.max(call.length, 1), line = 1 - data.threshold;
  const shares = call.start === null || call.end === null ? "" : `, ${call.start.toFixed(2)} in its first third, ${call.end.toFixed(2)} in its last`;
  const svg = element("svg", {class: "arc", viewBox: `0 0 ${length} 1`, preserveAspectRatio: "none", role: "img", "aria-label": `dissatisfaction over the call${shares}`});
  if (call.sound) svg.append(element("rect", {class: "played", x: call.sound.sound_start_s, width: call.sound.sound_end_s - call.sound.sound_start_s, y: 0, height: 1}));
  for (const [start, width, value] of call.bars) {
    const height = Math.max(value, .04);
    svg.append(element("rect", {class: "bar", x: start, width, y: 1 - height, height, style: `--value: ${value}`}));
  }
  svg.append(element("line", {x1: 0, x2: length, y1: line, y2: line}));
  if (call.sound) svg.append(element("line", {class: "now", x1: -1, x2: -1, y1: 0, y2: 1}));
  return svg;
}

function playButton(call) {
  const button = element("button", {type: "button", class: "play", "data-key": `play|${call.place}`},
    element("span", {class: "sign", "aria-hidden": "true"}), element("span", {class: "verb"}),
    ` ${clock(call.sound.sound_start_s)} to ${clock(call.sound.sound_end_s)}`, element("span", {class: "unseen"}, ` of call ${call.call}`));
  button.addEventListener("click", () => play(call));
  return button;
}

function listItem(call) {
  const name = call.href ? element("a", {href: call.href}, call.call) : call.call;
  const copy = element("button", {type: "button", class: "copy", "data-copy": `${call.folder}/${call.path}`, title: call.call}, "Copy path");
  return element("li", {"data-place": call.place, "data-day": call.day},
    element("div", {class: "score", style: `--value: ${call.index}`, title: "dissatisfaction, 0 to 1"}, element("span", {class: "unseen"}, "dissatisfaction "), call.index.toFixed(2)),
    element("div", {class: "what"}, element("h3", {}, name), element("p", {}, call.when), element("p", {}, call.why),
      ...call.reviewed ? [element("p", {class: "reviewed"}, call.reviewed)] : [],
      element("p", {class: "path"}, element("code", {}, call.path), " ", copy)),
    element("div", {class: "when"}, picture(call), element("p", {}, ...call.sound ? [playButton(call)] : [],
      element("span", {}, "worst at ", element("strong", {}, clock(call.worst)), ` · peak ${call.peak.toFixed(2)}`))));
}

function drawList() {
  const calls = fittingCalls(), shown = calls.slice(0, nShown);
  byId("calls").replaceChildren(...shown.map(listItem));
  byId("more").hidden = shown.length === calls.length;
  byId("no-calls").hidden = calls.length > 0;
  showPlaying();
  const sum = sumsBy(listedCells(), () => ALL).get(ALL) ?? {calls: 0, scored: 0, dissatisfied: 0, share: null};
  if (!calls.length) byId("no-calls").textContent = nothingListed(sum);
  const flagged = choice.arc || choice.search ? calls.length : sum.dissatisfied;
  const share = sum.share === null ? "" : `, ${percent(sum.share)} dissatisfied`;
  const fitting = [choice.search && `“${choice.search}”`, choice.arc].filter(Boolean).join(", ");
  byId("filtered").textContent = `${listedDays()}: ${counted(sum.calls, "call")}, ${NUMBERS.format(sum.scored)} scored${share}. `
    + `${shown.length} of ${counted(flagged, "flagged call")}${fitting && ` (${fitting})`} listed.`;
}

function nothingListed(sum) {
  if (choice.search) return "No listed call fits the search and the filters.";
  if (!sum.calls) return "There are no calls that fit the filters.";
  if (!sum.scored) return "No call that fits the filters was scored.";
  return choice.arc && sum.dissatisfied ? "No flagged call that fits the filters went this way." : "None of these calls is flagged as dissatisfied: none has priority.";
}

// -- sounds -----------------------------------------------------------------------------------------------------------

function play(call) {
  if (playing === call && !player.paused) { player.pause(); return; }
  if (playing !== call) {
    playing = call;
    player.src = call.sound.sound;
  }
  player.play();
}

function showPlaying() {
  for (const item of byId("calls").children) {
    const button = item.querySelector(".play");
    if (!button) continue;
    const isOwn = playing !== null && Number(item.dataset.place) === playing.place, isOn = isOwn && !player.paused && !player.ended;
    button.querySelector(".verb").textContent = isOn ? "Pause" : "Play";
    button.classList.toggle("on", isOn);
    const at = isOwn && player.currentTime ? playing.sound.sound_start_s + player.currentTime : -1;
    const mark = item.querySelector(".now");
    mark.setAttribute("x1", at);
    mark.setAttribute("x2", at);
  }
}

for (const event of ["play", "pause", "ended", "timeupdate"]) player.addEventListener(event, showPlaying);
byId("more").addEventListener("click", () => {
  const first = nShown;
  nShown += MORE;
  drawList();
  (byId("calls").children[first].querySelector("a, button")).focus();
});

