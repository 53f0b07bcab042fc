// -- what is chosen: kept in the address after #, so that a link, a reload and the back button keep it ----------

// an attribute may have any name, also that of another filter
const facetKey = (at) => at ? `a.${data.facets[at].name}` : "queue";
const FACET_KEYS = data.facets.map((_, at) => facetKey(at));
const SORTS = [...byId("sort").options].map((option) => option.value);
const isDay = (value) => /^\d{4}-\d\d-\d\d$/.test(value);

// what each filter takes, and how it reads
const FILTERS = {
  ...Object.fromEntries(FACET_KEYS.map((key, at) => [key, {
    takes: (value) => data.facets[at].values.includes(value), named: (value) => `${data.facets[at].name}: ${value}`}])),
  from: {takes: isDay, named: (value) => `from ${shortDay(value)}`},
  to: {takes: isDay, named: (value) => `to ${shortDay(value)}`},
  day: {takes: (value) => data.days.includes(value), named: longDay},
  weekday: {takes: (value) => WEEKDAYS.includes(value), named: (value) => value},
  hour: {takes: (value) => /^(1?\d|2[0-3])$/.test(value), named: (value) => hours(Number(value))},
  arc: {takes: (value) => data.arcs.includes(value), named: (value) => `course: ${value}`},
  search: {takes: (value) => value.trim() !== "", named: (value) => `search: ${value}`},
};
const NOTHING = {...Object.fromEntries(Object.keys(FILTERS).map((key) => [key, null])), sort: SORTS[0]};
let choice = {...NOTHING};

const isFiltered = () => Object.keys(FILTERS).some((key) => choice[key] !== null);
const isTimeChosen = () => ["from", "to", "day", "weekday", "hour"].some((key) => choice[key] !== null);

// an address without "=" names a section, and nothing is chosen
function readAddress() {
  const given = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  choice = {...NOTHING};
  for (const [key, filter] of Object.entries(FILTERS)) {
    const value = given.get(key);
    if (value !== null && filter.takes(value)) choice[key] = value;
  }
  if (SORTS.includes(given.get("sort"))) choice.sort = given.get("sort");
}

function writeAddress(isTyped) {
  const kept = new URLSearchParams();
  for (const [key, value] of Object.entries(choice)) if (value !== NOTHING[key]) kept.set(key, value);
  const address = location.href.split("#")[0] + (kept.size ? `#${kept}` : "");
  if (isTyped) history.replaceState(null, "", address); // no step back for each letter
  else history.pushState(null, "", address);
}

function choose(changes, {isTyped = false} = {}) {
  choice = {...choice, ...changes};
  writeAddress(isTyped);
  nShown = data.priorityCalls;
  draw();
}

const isPicked = (pick) => Object.values(pick).some((value) => value !== null)
  && Object.entries(pick).every(([key, value]) => choice[key] === value);

// a second choice of the same takes it back
const pickOrDrop = (pick) => choose(isPicked(pick) ? Object.fromEntries(Object.keys(pick).map((key) => [key, null])) : pick);

const RULES = {
  from: (cell) => data.days[cell[DAY]] >= choice.from, to: (cell) => data.days[cell[DAY]] <= choice.to,
  day: (cell) => data.days[cell[DAY]] === choice.day,
  weekday: (cell) => WEEKDAYS[weekdayOf(data.days[cell[DAY]])] === choice.weekday,
  hour: (cell) => cell[HOUR] === Number(choice.hour),
  ...Object.fromEntries(FACET_KEYS.map((key, at) => [key, (cell) => data.facets[at].values[cell[FACETS + at]] === choice[key]])),
};
const ofPeriod = (cell) => data.days[cell[DAY]] >= data.period[0] && data.days[cell[DAY]] <= data.period[1];

// a chart does not follow the filters that are chosen in it: what lies beside them stays in sight
function cellsWithout(...ignored) {
  const rules = Object.keys(RULES).filter((key) => choice[key] !== null && !ignored.includes(key)).map((key) => RULES[key]);
  return data.cells.filter((cell) => rules.every((fits) => fits(cell)));
}

// what list and counts cover: the days of the headline until others are chosen
const listedCells = (...ignored) => cellsWithout(...ignored).filter((cell) => isTimeChosen() || ofPeriod(cell));

function listedDays() {
  const of = (first, last) => first === last ? longDay(first) : `${WEEKDAYS[weekdayOf(first)]} ${shortDay(first)} to ${longDay(last)}`;
  if (!isTimeChosen()) return of(...data.period);
  if (choice.day) return longDay(choice.day);
  const days = of(choice.from ?? data.days[0], choice.to ?? data.days.at(-1));
  return [choice.weekday, choice.hour && hours(Number(choice.hour)), days].filter(Boolean).join(", ");
}

// -- its controls -------------------------------------------------------------------------------------------------

function addControls() {
  data.facets.forEach((facet, at) => {
    const select = element("select", {id: `facet-${at}`}, element("option", {value: ""}, ALL));
    facet.values.forEach((value) => select.append(element("option", {value}, value)));
    select.addEventListener("input", () => choose({[facetKey(at)]: select.value || null}));
    const name = `${facet.name[0].toUpperCase()}${facet.name.slice(1)}`;
    byId("facets").append(element("span", {}, element("label", {for: select.id}, name), " ", select));
  });
  for (const [id, edge] of [["from", data.days[0]], ["to", data.days.at(-1)]]) {
    [byId(id).min, byId(id).max] = [data.days[0] ?? "", data.days.at(-1) ?? ""];
    byId(id).addEventListener("input", () => choose({[id]: byId(id).value === edge ? null : byId(id).value || null}));
  }
  byId("search").addEventListener("input", () => choose({search: byId("search").value.trim() || null}, {isTyped: true}));
  byId("sort").addEventListener("input", () => choose({sort: byId("sort").value}));
  byId("show-all").addEventListener("click", () => { choose({...NOTHING, sort: choice.sort}); byId("facet-0").focus(); });
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
}

function showChoice() {
  FACET_KEYS.forEach((key, at) => { byId(`facet-${at}`).value = choice[key] ?? ""; });
  byId("from").value = choice.from ?? data.days[0] ?? "";
  byId("to").value = choice.to ?? data.days.at(-1) ?? "";
  if (byId("search").value.trim() !== (choice.search ?? "")) byId("search").value = choice.search ?? "";
  byId("sort").value = choice.sort;
  const chips = Object.entries(FILTERS).filter(([key]) => choice[key] !== null).map(([key, filter]) => {
    const name = filter.named(choice[key]);
    const chip = element("button", {type: "button", class: "chip", "data-key": `chip|${key}`}, name,
      element("span", {"aria-hidden": "true"}, " ×"), element("span", {class: "unseen"}, ", remove this filter"));
    chip.addEventListener("click", () => { choose({[key]: null}); (byId("chips").querySelector("button") ?? byId("facet-0")).focus(); });
    return chip;
  });
  byId("chips").replaceChildren(...chips);
  byId("chosen").classList.toggle("active", isFiltered());
  byId("show-all").hidden = !isFiltered();
  for (const part of document.querySelectorAll("[data-pick]")) part.setAttribute("aria-pressed", isPicked(JSON.parse(part.dataset.pick)));
}

