"use strict";
// Charts and filters of the report, drawn from the embedded counts by day, hour and queue.

const {minCalls, cells} = JSON.parse(document.getElementById("cells").textContent);
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const NO_QUEUE = "no queue";
const percent = (share) => `${Math.round(share * 100)} %`;
const shortDay = (iso) => new Date(`${iso}T00:00`).toLocaleDateString("en-GB", {day: "numeric", month: "short"});
const weekdayOf = (iso) => (new Date(`${iso}T00:00`).getDay() + 6) % 7;

// Wilson (1927), as in sql/macros.sql
function wilson(hits, n) {
  const z2 = 3.8415, centre = (hits + z2 / 2) / (n + z2);
  const half = Math.sqrt(z2 * (hits * (n - hits) / n + z2 / 4)) / (n + z2);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

function total(rows) {
  const sum = {calls: 0, scored: 0, dissatisfied: 0};
  for (const row of rows) {
    sum.calls += row.calls; sum.scored += row.scored; sum.dissatisfied += row.dissatisfied;
  }
  sum.share = sum.scored >= minCalls ? sum.dissatisfied / sum.scored : null;
  return sum;
}

function groups(rows, key) {
  const found = new Map();
  for (const row of rows) {
    const name = key(row);
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(row);
  }
  return found;
}

function element(name, attributes = {}, ...children) {
  const svg = ["svg", "line", "path", "circle", "text", "title"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function everyDay(rows) {
  const days = [...new Set(rows.map((row) => row.day))].sort();
  const all = [];
  if (!days.length) return all;
  for (let at = new Date(`${days[0]}T12:00Z`); at.toISOString().slice(0, 10) <= days.at(-1); at.setUTCDate(at.getUTCDate() + 1)) {
    all.push(at.toISOString().slice(0, 10));
  }
  return all;
}

const describe = (day, sum) => {
  const [low, high] = wilson(sum.dissatisfied, sum.scored);
  return `${day}: ${percent(sum.share)} of ${sum.scored} scored calls dissatisfied, 95 % interval ${percent(low)} to ${percent(high)}`;
};

function drawTrend(rows) {
  const figure = document.getElementById("trend-chart");
  const days = everyDay(cells), byDay = groups(rows, (row) => row.day);
  const points = days.map((day, at) => ({day, at, ...total(byDay.get(day) ?? [])})).filter((point) => point.share !== null);
  if (!points.length) {
    figure.replaceChildren(element("p", {}, `No day has ${minCalls} scored calls yet.`));
    return;
  }
  for (const point of points) [point.low, point.high] = wilson(point.dissatisfied, point.scored);
  const width = Math.max(320, figure.clientWidth), height = 260, left = 44, right = 12, top = 10, bottom = 28;
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
    if ((days.length - 1 - at) % every === 0) svg.append(element("text", {x: x(at), y: height - 6, "text-anchor": at === days.length - 1 && days.length > 1 ? "end" : "middle"}, shortDay(day)));
  });
  const path = (list, value) => list.map((point) => `${x(point.at)},${y(value(point))}`).join("L");
  if (points.length > 1) {
    svg.append(
      element("path", {class: "band", d: `M${path(points, (point) => point.high)}L${path([...points].reverse(), (point) => point.low)}Z`}),
      element("path", {class: "trend", d: `M${path(points, (point) => point.share)}`}));
  } else {
    svg.append(element("line", {class: "trend", x1: x(points[0].at), x2: x(points[0].at), y1: y(points[0].low), y2: y(points[0].high)}));
  }
  for (const point of points) {
    const text = describe(shortDay(point.day), point);
    svg.append(element("circle", {class: "point", cx: x(point.at), cy: y(point.share), r: 5, tabindex: 0, role: "img", "aria-label": text}, element("title", {}, text)));
  }
  figure.replaceChildren(svg);
}

function drawHeat(id, rowNames, columnNames, found, labels) {
  const sums = new Map([...found].map(([key, rows]) => [key, total(rows)]));
  const most = Math.max(.2, ...[...sums.values()].map((sum) => sum.share ?? 0));
  const head = element("tr", {}, element("td"), ...columnNames.map((name) => element("th", {scope: "col"}, labels.column(name))));
  const body = rowNames.map((name) => element("tr", {}, element("th", {scope: "row", title: labels.row(name)}, labels.row(name)),
    ...columnNames.map((column) => heatCell(sums.get(`${name}|${column}`), most, `${labels.row(name)}, ${labels.column(column)}`))));
  document.getElementById(id).replaceChildren(element("thead", {}, head), element("tbody", {}, ...body));
}

function heatCell(sum, most, where) {
  if (!sum) return element("td");
  if (sum.share === null) return element("td", {title: `${where}: ${sum.calls} calls, ${sum.scored} scored: withheld`}, "·");
  return element("td", {class: "figure", style: `--value: ${(sum.share / most).toFixed(3)}`, title: describe(where, sum)}, String(Math.round(sum.share * 100)));
}

function draw() {
  const queue = document.getElementById("queue").value;
  const rows = queue ? cells.filter((row) => row.queue === queue) : cells;
  drawTrend(rows);
  const queues = [...new Set(rows.map((row) => row.queue))].sort();
  drawHeat("queue-by-day", queues, everyDay(cells), groups(rows, (row) => `${row.queue}|${row.day}`), {row: (name) => name, column: shortDay});
  const hours = [...new Set(cells.map((row) => row.hour))].sort((a, b) => a - b);
  drawHeat("weekday-by-hour", [0, 1, 2, 3, 4, 5, 6], hours, groups(rows, (row) => `${weekdayOf(row.day)}|${row.hour}`), {row: (day) => WEEKDAYS[day], column: (hour) => `${hour} h`});
  for (const item of document.querySelectorAll(".calls li")) item.hidden = Boolean(queue) && (item.dataset.queue || NO_QUEUE) !== queue;
  const sum = total(rows);
  document.getElementById("filtered").textContent = `${sum.calls} calls, ${sum.scored} scored` + (sum.share === null ? "" : `, ${percent(sum.share)} dissatisfied`);
}

function copied(button) {
  const text = button.dataset.copy ?? button.parentElement.querySelector("code").textContent;
  const area = element("textarea", {}, text);
  button.after(area);
  area.select();
  document.execCommand("copy"); // the clipboard interface is shut for pages opened from disk
  area.remove();
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; }, 1500);
  button.focus();
}

for (const name of [...new Set(cells.map((row) => row.queue))].sort()) document.getElementById("queue").append(element("option", {value: name}, name));
document.getElementById("queue").addEventListener("change", draw);
document.addEventListener("click", (event) => { if (event.target.matches("button.copy")) copied(event.target); });
let width = 0;
new ResizeObserver(([entry]) => { if (entry.contentRect.width !== width) { width = entry.contentRect.width; draw(); } }).observe(document.getElementById("trend"));
