"use strict";
// Charts and filters of the report, drawn from the embedded counts by day, hour, queue and attribute.

const data = JSON.parse(document.getElementById("cells").textContent);
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const ALL = "all";
const DAY = 0, HOUR = 1, FACETS = 2, COUNTS = FACETS + data.facets.length;
const byId = (id) => document.getElementById(id);
const percent = (share) => `${Math.floor(share * 100 + .5)} %`;
const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const inEnglish = (iso, parts) => new Date(`${iso}T00:00`).toLocaleDateString("en-GB", parts);
const shortDay = (iso) => inEnglish(iso, {day: "numeric", month: "short"});
const weekdayOf = (iso) => (new Date(`${iso}T00:00`).getDay() + 6) % 7;
const longDay = (iso) => `${WEEKDAYS[weekdayOf(iso)]} ${inEnglish(iso, {day: "numeric", month: "short", year: "numeric"})}`;

// -- counting ---------------------------------------------------------------------------------

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
    if (!sums.has(name)) sums.set(name, {calls: 0, scored: 0, dissatisfied: 0, ofDays: new Map()});
    const sum = sums.get(name);
    sum.calls += cell[COUNTS]; sum.scored += cell[COUNTS + 1]; sum.dissatisfied += cell[COUNTS + 2];
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

// -- filters ----------------------------------------------------------------------------------

const facetSelects = () => [...document.querySelectorAll("#facets select")];

function chosen() {
  return {
    values: facetSelects().map((select) => select.value === "" ? null : Number(select.value)),
    first: byId("first-day").value || data.days[0] || "", last: byId("last-day").value || data.days.at(-1) || "",
  };
}

function chosenCells({values, first, last}) {
  return data.cells.filter((cell) => data.days[cell[DAY]] >= first && data.days[cell[DAY]] <= last
    && values.every((value, at) => value === null || cell[FACETS + at] === value));
}

function addFilters() {
  data.facets.forEach((facet, at) => {
    const select = element("select", {id: `facet-${at}`}, element("option", {value: ""}, ALL));
    facet.values.forEach((value, number) => select.append(element("option", {value: number}, value)));
    const name = `${facet.name[0].toUpperCase()}${facet.name.slice(1)}`;
    byId("facets").append(element("span", {}, element("label", {for: select.id}, name), " ", select));
  });
  for (const id of ["first-day", "last-day"]) {
    const input = byId(id);
    [input.min, input.max] = [data.days[0] ?? "", data.days.at(-1) ?? ""];
    input.defaultValue = id === "first-day" ? input.min : input.max;
  }
  const form = document.querySelector(".filters");
  form.addEventListener("input", draw);
  form.addEventListener("reset", () => setTimeout(draw));
  form.addEventListener("submit", (event) => event.preventDefault());
}

function filterCalls({values, first, last}) {
  let shown = 0;
  for (const item of document.querySelectorAll(".calls li")) {
    const own = JSON.parse(item.dataset.facets), day = item.dataset.day;
    const fits = day >= first && day <= last && values.every((value, at) => value === null || data.facets[at].values[value] === own[at]);
    item.hidden = !fits || shown >= PRIORITY_CALLS;
    if (!item.hidden) shown += 1;
  }
  if (byId("listed")) byId("listed").textContent = shown ? "" : "None of the listed calls fits the filters.";
}

// -- drawing ----------------------------------------------------------------------------------

function element(name, attributes = {}, ...children) {
  const svg = ["svg", "line", "path", "circle", "text", "title"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function everyDay(first, last) {
  const days = [];
  if (!first) return days;
  for (let at = new Date(`${first}T12:00Z`); at.toISOString().slice(0, 10) <= last; at.setUTCDate(at.getUTCDate() + 1)) {
    days.push(at.toISOString().slice(0, 10));
  }
  return days;
}

function everyHour(cells) {
  const found = cells.map((cell) => cell[HOUR]), first = Math.min(...found), last = Math.max(...found);
  return found.length ? Array.from({length: last - first + 1}, (_, number) => first + number) : [];
}

function drawTrend(cells, days) {
  const figure = byId("trend-chart");
  const sums = sumsBy(cells, (cell) => data.days[cell[DAY]]);
  const points = days.map((day, at) => ({day, at, ...sums.get(day)})).filter((point) => point.share != null);
  if (!points.length) {
    figure.replaceChildren(element("p", {class: "empty"}, `No day has ${data.minCalls} scored calls.`));
    return;
  }
  const width = Math.max(280, figure.clientWidth), height = 260, left = 44, right = 12, top = 10, bottom = 28;
  const most = Math.min(1, Math.ceil(Math.max(...points.map((point) => point.high)) * 5) / 5);
  const x = (at) => left + (days.length > 1 ? at / (days.length - 1) : .5) * (width - left - right);
  const y = (share) => top + (1 - share / most) * (height - top - bottom);
  const svg = element("svg", {viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Share of dissatisfied calls by day"});
  for (let step = 0; step <= 4; step++) {
    const share = most * step / 4;
    svg.append(
      element("line", {class: "grid", x1: left, x2: width - right, y1: y(share), y2: y(share)}),
      element("text", {x: left - 8, y: y(share) + 4, "text-anchor": "end"}, percent(share)));
  }
  const every = Math.ceil(days.length / Math.max(2, Math.floor((width - left) / 70)));
  days.forEach((day, at) => {
    const isLast = at === days.length - 1 && days.length > 1;
    if ((days.length - 1 - at) % every === 0) svg.append(element("text", {x: x(at), y: height - 6, "text-anchor": isLast ? "end" : "middle"}, shortDay(day)));
  });
  for (const run of unbroken(points)) {
    const path = (list, value) => list.map((point) => `${x(point.at)},${y(value(point))}`).join("L");
    const last = [...run].reverse();
    if (run.length === 1) svg.append(element("line", {class: "lone", x1: x(run[0].at), x2: x(run[0].at), y1: y(run[0].low), y2: y(run[0].high)}));
    else svg.append(
      element("path", {class: "band", d: `M${path(run, (point) => point.high)}L${path(last, (point) => point.low)}Z`}),
      element("path", {class: "trend", d: `M${path(run, (point) => point.share)}`}));
  }
  for (const point of points) {
    const text = describe(longDay(point.day), point);
    svg.append(element("circle", {class: "point", cx: x(point.at), cy: y(point.share), r: 4.5, tabindex: 0, role: "img", "aria-label": text}, element("title", {}, text)));
  }
  drawMarks(svg, figure, days, x, {top, bottom: height - bottom, right: width - right});
  figure.replaceChildren(svg);
}

// a rule at each night since which another model scores; after the last day it stands at the edge
function drawMarks(svg, figure, days, x, box) {
  const nights = JSON.parse(figure.dataset.marks).filter((night) => night > days[0]);
  nights.forEach((night, number) => {
    const found = days.findIndex((day) => day >= night);
    const at = found < 0 ? box.right + 9 : x(found - .5), isRight = at > box.right / 2;
    svg.append(
      element("line", {class: "mark", x1: at, x2: at, y1: box.top, y2: box.bottom}),
      element("text", {class: "mark", x: at + (isRight ? -6 : 6), y: box.top + 12 + 15 * number, "text-anchor": isRight ? "end" : "start"},
        `different model since ${shortDay(night)}${found < 0 ? ` ${night.slice(0, 4)}` : ""}`));
  });
}

// runs of points without a missing day, so that no line is drawn over days without a figure
function unbroken(points) {
  const runs = [];
  for (const point of points) {
    if (runs.length && runs.at(-1).at(-1).at === point.at - 1) runs.at(-1).push(point);
    else runs.push([point]);
  }
  return runs;
}

function drawHeat(id, rows, columns, cells, keys) {
  const sums = sumsBy(cells, (cell) => `${keys.row(cell)}|${keys.column(cell)}`);
  const ofRows = sumsBy(cells, (cell) => `${keys.row(cell)}|${ALL}`), ofColumns = sumsBy(cells, (cell) => `${ALL}|${keys.column(cell)}`);
  const every = new Map([...sums, ...ofRows, ...ofColumns, ...sumsBy(cells, () => `${ALL}|${ALL}`)]);
  const most = Math.max(.2, ...[...every.values()].map((sum) => sum.share ?? 0));
  const named = {row: (key) => key === ALL ? ALL : keys.rowName(key), column: (key) => key === ALL ? ALL : keys.columnName(key)};
  const allRows = rows.length > 1 ? [...rows, ALL] : rows, allColumns = [...columns, ALL];
  const head = element("tr", {}, element("td"), ...allColumns.map((key) => element("th", {scope: "col"}, ...[named.column(key)].flat())));
  const body = allRows.map((row) => element("tr", row === ALL ? {class: "total"} : {},
    element("th", {scope: "row", title: named.row(row)}, named.row(row)),
    ...allColumns.map((column) => heatCell(every.get(`${row}|${column}`), most, `${named.row(row)}, ${keys.columnTitle(column)}`, column === ALL))));
  byId(id).replaceChildren(element("thead", {}, head), element("tbody", {}, ...body));
  const scroll = byId(id).parentElement;
  scroll.scrollLeft = scroll.scrollWidth; // the newest days and the totals
}

function heatCell(sum, most, where, isTotal) {
  const side = isTotal ? " total" : "";
  if (!sum) return element("td", {class: side});
  if (sum.share === null) return element("td", {class: side, title: describe(where, sum)}, "·");
  return element("td", {class: `figure${side}`, style: `--value: ${(sum.share / most).toFixed(3)}`, title: describe(where, sum)}, String(Math.floor(sum.share * 100 + .5)));
}

function draw() {
  const choice = chosen(), cells = chosenCells(choice), days = everyDay(choice.first, choice.last);
  drawTrend(cells, days);
  const queues = [...new Set(cells.map((cell) => cell[FACETS]))].sort((a, b) => a - b);
  drawHeat("queue-by-day", queues, days, cells, {
    row: (cell) => cell[FACETS], rowName: (number) => data.facets[0].values[number],
    column: (cell) => data.days[cell[DAY]], columnTitle: (day) => day === ALL ? ALL : longDay(day),
    columnName: (day) => [element("span", {class: "weekday"}, WEEKDAYS[weekdayOf(day)]), shortDay(day)],
  });
  const hours = everyHour(cells);
  const weekdays = [...new Set(cells.map((cell) => weekdayOf(data.days[cell[DAY]])))].sort((a, b) => a - b);
  drawHeat("weekday-by-hour", weekdays, hours, cells, {
    row: (cell) => weekdayOf(data.days[cell[DAY]]), rowName: (number) => WEEKDAYS[number],
    column: (cell) => cell[HOUR], columnName: (hour) => `${hour} h`, columnTitle: (hour) => hour === ALL ? ALL : `${hour}:00 to ${hour + 1}:00`,
  });
  filterCalls(choice);
  const sum = sumsBy(cells, () => ALL).get(ALL) ?? {calls: 0, scored: 0, share: null};
  byId("filtered").textContent = `${counted(sum.calls, "call")}, ${sum.scored.toLocaleString("en")} scored` + (sum.share === null ? "" : `, ${percent(sum.share)} dissatisfied`);
}

function copied(button) {
  const text = button.dataset.copy ?? button.parentElement.querySelector("code").textContent;
  const area = element("textarea", {}, text);
  button.after(area);
  area.select();
  document.execCommand("copy"); // the clipboard interface is shut for pages opened from disk
  area.remove();
  button.dataset.label ??= button.textContent; // a second click meets "Copied"
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = button.dataset.label; }, 1500);
  button.focus();
}

for (const part of document.querySelectorAll(".scroll")) {
  part.addEventListener("scroll", () => part.classList.toggle("scrolled", part.scrollLeft > 0));
}
addFilters();
document.addEventListener("click", (event) => { if (event.target.matches("button.copy")) copied(event.target); });
let width = 0;
new ResizeObserver(([entry]) => {
  if (entry.contentRect.width !== width) { width = entry.contentRect.width; draw(); }
}).observe(byId("trend"));
