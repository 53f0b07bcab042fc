// -- charts: each part that can be chosen carries the filters that it sets in data-pick --------------------------

const picking = (pick, at, key, label) => ({
  "data-pick": JSON.stringify(pick), "data-at": at.join(","), "data-key": key, "aria-label": label, title: label, tabindex: -1,
});

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

function drawTrend(days) {
  const figure = byId("trend-chart");
  const sums = sumsBy(cellsWithout("day"), (cell) => data.days[cell[DAY]]);
  const points = days.map((day, at) => ({day, at, ...sums.get(day)})).filter((point) => point.share != null);
  if (!points.length) {
    figure.replaceChildren(element("p", {class: "empty"}, `No day has ${data.minCalls} scored calls.`));
    return;
  }
  const width = Math.max(280, figure.clientWidth), height = 260, left = 44, right = 12, top = 10, bottom = 28;
  const most = Math.min(1, Math.ceil(Math.max(...points.map((point) => point.high)) * 5) / 5);
  const x = (at) => left + (days.length > 1 ? at / (days.length - 1) : .5) * (width - left - right);
  const y = (share) => top + (1 - share / most) * (height - top - bottom);
  const svg = element("svg", {viewBox: `0 0 ${width} ${height}`, role: "toolbar", "aria-label": "Share of dissatisfied calls by day"});
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
  const step = days.length > 1 ? x(1) - x(0) : width - left - right;
  for (const point of points) {
    const {title, ...names} = picking({day: point.day}, [0, point.at], `trend|${point.day}`, describe(longDay(point.day), point));
    svg.append(element("g", {class: "day", role: "button", ...names}, element("title", {}, title),
      element("rect", {x: x(point.at) - step / 2, y: top, width: step, height: height - bottom - top}),
      element("circle", {class: "point", cx: x(point.at), cy: y(point.share), r: 4.5})));
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

// rows and columns: {key (of the filter), values, of (a cell), named, heading, title}
function drawHeat(id, cells, rows, columns) {
  const sums = sumsBy(cells, (cell) => `${rows.of(cell)}|${columns.of(cell)}`);
  const ofRows = sumsBy(cells, (cell) => `${rows.of(cell)}|${ALL}`), ofColumns = sumsBy(cells, (cell) => `${ALL}|${columns.of(cell)}`);
  const every = new Map([...sums, ...ofRows, ...ofColumns, ...sumsBy(cells, () => `${ALL}|${ALL}`)]);
  const most = Math.max(.2, ...[...every.values()].map((sum) => sum.share ?? 0));
  const pickOf = (row, column) => ({[rows.key]: row === ALL ? null : rows.pick(row), [columns.key]: column === ALL ? null : columns.pick(column)});
  const title = (side, value) => value === ALL ? ALL : side.title(value);
  const part = (row, column, at, label, ...children) =>
    element("button", {type: "button", ...picking(pickOf(row, column), at, `${id}|${row}|${column}|${at.includes(-1)}`, label)}, ...children);
  const allRows = rows.values.length > 1 ? [...rows.values, ALL] : rows.values, allColumns = [...columns.values, ALL];
  const head = element("tr", {}, element("td"), ...allColumns.map((column, at) => element("th", {scope: "col"},
    ...column === ALL ? [ALL] : [part(ALL, column, [-1, at], title(columns, column), ...columns.heading(column))])));
  const body = allRows.map((row, down) => element("tr", row === ALL ? {class: "total"} : {},
    element("th", {scope: "row"}, row === ALL ? ALL : part(row, ALL, [down, -1], title(rows, row), title(rows, row))),
    ...allColumns.map((column, across) => {
      const sum = every.get(`${row}|${column}`), side = column === ALL ? " total" : "";
      if (!sum) return element("td", {class: side});
      const label = describe(`${title(rows, row)}, ${title(columns, column)}`, sum);
      const shown = sum.share === null ? {class: side} : {class: `figure${side}`, style: `--value: ${(sum.share / most).toFixed(3)}`};
      return element("td", shown, part(row, column, [down, across], label, sum.share === null ? "·" : String(Math.floor(sum.share * 100 + .5))));
    })));
  const isFirst = !byId(id).rows.length;
  byId(id).replaceChildren(element("thead", {}, head), element("tbody", {}, ...body));
  const scroll = byId(id).parentElement;
  if (isFirst) scroll.scrollLeft = scroll.scrollWidth; // the newest days and the totals
}

function drawHeats(days) {
  const ofQueues = cellsWithout("queue", "day"), ofHours = cellsWithout("weekday", "hour");
  const sorted = (values) => [...new Set(values)].sort((a, b) => a - b);
  const queues = {
    key: "queue", values: sorted(ofQueues.map((cell) => cell[FACETS])), of: (cell) => cell[FACETS],
    pick: (number) => data.facets[0].values[number], title: (number) => data.facets[0].values[number],
  };
  drawHeat("queue-by-day", ofQueues, queues, {
    key: "day", values: days, of: (cell) => data.days[cell[DAY]], pick: (day) => day, title: longDay,
    heading: (day) => [element("span", {class: "weekday"}, WEEKDAYS[weekdayOf(day)]), shortDay(day)],
  });
  const weekday = (cell) => weekdayOf(data.days[cell[DAY]]);
  drawHeat("weekday-by-hour", ofHours, {
    key: "weekday", values: sorted(ofHours.map(weekday)), of: weekday, pick: (number) => WEEKDAYS[number], title: (number) => WEEKDAYS[number],
  }, {
    key: "hour", values: everyHour(ofHours), of: (cell) => cell[HOUR], pick: String, title: hours, heading: (hour) => [`${hour} h`],
  });
}

function drawArcs() {
  const sums = [...sumsBy(listedCells("queue"), (cell) => data.facets[0].values[cell[FACETS]])]
    .filter(([, sum]) => sum.scored).sort(([, a], [, b]) => b.scored - a.scored);
  byId("arc-days").textContent = sums.length ? listedDays() : "none on these days";
  byId("arc-bars").replaceChildren(...sums.flatMap(([queue, sum], row) => {
    const name = element("button", {type: "button", class: "link", ...picking({queue}, [row, -1], `arcs|${queue}`, `${queue}: ${counted(sum.scored, "scored call")}`)}, queue);
    const parts = data.arcs.flatMap((arc, at) => sum.arcs[at] ? [element("button", {
      type: "button", class: arc.replace(" ", "-"), style: `flex-grow: ${sum.arcs[at]}`,
      ...picking({queue, arc}, [row, at], `arcs|${queue}|${arc}`, `${queue}, ${arc}: ${counted(sum.arcs[at], "call")}`),
    }, String(sum.arcs[at]))] : []);
    return [element("div", {class: "of"}, name, element("span", {class: "small"}, ` ${counted(sum.scored, "call")}`)), element("div", {class: "parts"}, ...parts)];
  }));
}

// -- one stop of the Tab key a chart: arrow keys move within it -----------------------------------------------------

const CHARTS = ["trend-chart", "queue-by-day", "weekday-by-hour", "arc-bars"];
const stops = new Map();
const place = (part) => part.dataset.at.split(",").map(Number);

function setStop(chart) {
  const parts = [...chart.querySelectorAll("[data-at]")];
  const stop = parts.find((part) => part.dataset.key === stops.get(chart.id))
    ?? parts.find((part) => part.ariaPressed === "true") ?? parts.find((part) => !place(part).includes(-1));
  for (const part of parts) part.setAttribute("tabindex", part === stop ? 0 : -1);
}

function neighbour(parts, from, key) {
  const [row, column] = place(from);
  const across = parts.filter((part) => place(part)[0] === row).sort((a, b) => place(a)[1] - place(b)[1]);
  if (key === "Home") return across[0];
  if (key === "End") return across.at(-1);
  const at = across.indexOf(from);
  if (key === "ArrowLeft") return across[at - 1];
  if (key === "ArrowRight") return across[at + 1];
  const rows = parts.map((part) => place(part)[0]).filter((other) => key === "ArrowUp" ? other < row : other > row);
  if (!rows.length) return undefined;
  const next = key === "ArrowUp" ? Math.max(...rows) : Math.min(...rows);
  const apart = (part) => Math.abs(place(part)[1] - column);
  return parts.filter((part) => place(part)[0] === next).sort((a, b) => apart(a) - apart(b))[0];
}

for (const id of CHARTS) {
  byId(id).addEventListener("focusin", (event) => {
    if (!event.target.dataset.key) return;
    stops.set(id, event.target.dataset.key);
    setStop(byId(id));
  });
  byId(id).addEventListener("keydown", (event) => {
    const from = event.target.closest("[data-at]");
    if (!from || event.ctrlKey || event.metaKey || event.altKey) return;
    if (from instanceof SVGElement && ["Enter", " "].includes(event.key)) {
      event.preventDefault();
      pickOrDrop(JSON.parse(from.dataset.pick));
    } else if (["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) {
      event.preventDefault();
      neighbour([...byId(id).querySelectorAll("[data-at]")], from, event.key)?.focus();
    }
  });
}

