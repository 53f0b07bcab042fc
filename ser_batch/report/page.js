// -- the page ---------------------------------------------------------------------------------------------------------

function draw() {
  const key = document.activeElement?.dataset.key;
  const days = everyDay(choice.from ?? data.days[0], choice.to ?? data.days.at(-1));
  drawTrend(days);
  drawHeats(days);
  drawArcs();
  drawList();
  showChoice();
  for (const id of CHARTS) setStop(byId(id));
  if (key) document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({preventScroll: true});
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

// a link to a section would take the place of the filters in the address
function goTo(event, link) {
  if (!isFiltered()) return;
  event.preventDefault();
  const section = document.querySelector(link.getAttribute("href"));
  section.scrollIntoView();
  section.setAttribute("tabindex", -1);
  section.focus({preventScroll: true});
}

for (const part of document.querySelectorAll(".scroll")) {
  part.addEventListener("scroll", () => part.classList.toggle("scrolled", part.scrollLeft > 0));
}
document.addEventListener("click", (event) => {
  const [copy, picked, link] = ["button.copy", "[data-pick]", 'a[href^="#"]'].map((kind) => event.target.closest(kind));
  if (copy) copied(copy);
  else if (picked) pickOrDrop(JSON.parse(picked.dataset.pick));
  else if (link) goTo(event, link);
});
addControls();
readAddress();
addEventListener("popstate", () => { readAddress(); nShown = data.priorityCalls; draw(); });
let width = 0;
new ResizeObserver(([entry]) => {
  if (entry.contentRect.width !== width) { width = entry.contentRect.width; draw(); }
}).observe(byId("trend"));
