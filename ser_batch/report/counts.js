"use strict";
// What the page carries (counts by day, hour, queue and attribute, and the listed calls), and how it is counted.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("cells").textContent);
const CALLS = JSON.parse(byId("listed").textContent);
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const ALL = "all";
const DAY = 0, HOUR = 1, FACETS = 2, COUNTS = FACETS + data.facets.length, COUNTS_OF_ARCS = COUNTS + 3;
const percent = (share) => `${Math.floor(share * 100 + .5)} %`;
const NUMBERS = new Intl.NumberFormat("en"), SHORT = new Intl.DateTimeFormat("en-GB", {day: "numeric", month: "short"});
const counted = (number, noun) => `${NUMBERS.format(number)} ${noun}${number === 1 ? "" : "s"}`;
const ofDay = (iso) => new Date(`${iso}T00:00`);

// a day is asked for thousands of times
function remembered(compute) {
  const known = new Map();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key);
  };
}
const shortDay = remembered((iso) => SHORT.format(ofDay(iso)));
const weekdayOf = remembered((iso) => (ofDay(iso).getDay() + 6) % 7);
const longDay = remembered((iso) => `${WEEKDAYS[weekdayOf(iso)]} ${shortDay(iso)} ${iso.slice(0, 4)}`);
const hours = (hour) => `${hour}:00 to ${hour + 1}:00`;
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

const SVG = new Set(["svg", "g", "line", "path", "circle", "rect", "text", "title"]);

function element(name, attributes = {}, ...children) {
  const made = SVG.has(name) ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Wilson (1927), as in sql/macros.sql
function wilson(hits, n) {
  const z2 = 3.8415, centre = (hits + z2 / 2) / (n + z2);
  const half = Math.sqrt(z2 * (hits * (n - hits) / n + z2 / 4)) / (n + z2);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

// calls of one day are alike: variance over that of independent calls; a single day stands for itself
function designEffect(sum) {
  if (sum.ofDays.size < 2) return 1;
  const squares = [...sum.ofDays.values()].reduce((total, scored) => total + scored ** 2, 0);
  return Math.max(1, 1 + data.dateCorrelation * (squares / sum.scored - 1));
}

function sumsBy(cells, key) {
  const sums = new Map();
  for (const cell of cells) {
    const name = key(cell);
    if (!sums.has(name)) sums.set(name, {calls: 0, scored: 0, dissatisfied: 0, arcs: data.arcs.map(() => 0), ofDays: new Map()});
    const sum = sums.get(name);
    sum.calls += cell[COUNTS]; sum.scored += cell[COUNTS + 1]; sum.dissatisfied += cell[COUNTS + 2];
    for (let at = 0; at < sum.arcs.length; at++) sum.arcs[at] += cell[COUNTS_OF_ARCS + at];
    sum.ofDays.set(cell[DAY], (sum.ofDays.get(cell[DAY]) ?? 0) + cell[COUNTS + 1]);
  }
  for (const sum of sums.values()) {
    sum.share = sum.scored >= data.minCalls ? sum.dissatisfied / sum.scored : null;
    if (sum.share !== null) {
      const effect = designEffect(sum);
      [sum.low, sum.high] = wilson(sum.dissatisfied / effect, sum.scored / effect);
    }
  }
  return sums;
}

const describe = (where, sum) => sum.share === null
  ? `${where}: ${counted(sum.calls, "call")}, ${sum.scored} scored: withheld`
  : `${where}: ${percent(sum.share)} of ${counted(sum.scored, "scored call")} dissatisfied, 95 % interval ${percent(sum.low)} to ${percent(sum.high)}`;

