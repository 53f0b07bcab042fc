"use strict";
// Reviews of a call: of the segment that is played, or of the whole call.

(() => {
  const at = (id) => document.getElementById(id);
  const url = `${document.getElementById("player").dataset.call}/review`;
  const rows = [...document.querySelectorAll("tr[data-start]")];
  const WORDS = { right: "right", wrong: "wrong", cannot_tell: "can’t tell", note: "note" };
  let current = null;

  const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const rowOf = (review) => rows.find((row) => Number(row.dataset.channel) === review.channel && Number(row.dataset.no) === review.segment_no);

  /** The segment that is judged: the one that is played, or the last one before. */
  function choose(seconds) {
    const begun = rows.filter((row) => Number(row.dataset.start) <= seconds + .01);
    current = begun.at(-1) ?? rows[0] ?? null;
    at("of-segment").hidden = current === null;
    if (current === null) return;
    at("segment-time").textContent = `${minutes(current.dataset.start)} to ${minutes(current.dataset.end)}`;
    at("segment-shown").textContent = current.dataset.emotion;
    at("of-segment").querySelector("[data-verdict=right]").hidden = current.dataset.emotion === at("of-segment").dataset.uncertain;
  }

  function element(name, text, kind) {
    const made = document.createElement(name);
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  function show(reviews) {
    for (const row of rows) row.querySelector(".said").replaceChildren();
    at("said").replaceChildren(...reviews.map((review) => {
      const what = review.segment_no === null ? "The call" : `${minutes(review.start_s)} to ${minutes(review.end_s)}`;
      const said = review.segment_no !== null && review.verdict === "wrong" ? `wrong: ${review.emotion}` : WORDS[review.verdict];
      const shown = review.verdict === "note" ? "" : ` (shown: ${review.shown.replace("_", " ")})`;
      const when = new Date(`${review.made_at}Z`).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
      rowOf(review)?.querySelector(".said").append(element("span", `${review.annotator}: ${said}`, "tag"), " ");
      const item = element("li", "");
      item.append(element("strong", what), `: ${said}${shown} · ${review.annotator}, ${when}`);
      if (review.note) item.append(element("q", review.note));
      return item;
    }));
  }

  async function send(body) {
    try {
      const response = await fetch(url, body && { method: "POST", body: JSON.stringify({ ...body, note: at("note").value }) });
      const content = await response.json();
      if (!response.ok) throw new Error(content.error);
      show(content);
      if (body) {
        at("note").value = "";
        at("emotion").value = "";
        at("review-status").textContent = "Saved.";
      }
    } catch (error) {
      at("review-status").textContent = error instanceof TypeError
        ? "The program does not answer: is it still running? Nothing was saved." : error.message;
    }
  }

  const ofSegment = (verdict, emotion) => send({ channel: Number(current.dataset.channel), segment_no: Number(current.dataset.no), verdict, emotion });

  for (const button of document.querySelectorAll("#of-segment [data-verdict]")) {
    button.addEventListener("click", () => ofSegment(button.dataset.verdict));
  }
  for (const button of document.querySelectorAll("#of-call [data-verdict]")) {
    button.addEventListener("click", () => send({ verdict: button.dataset.verdict }));
  }
  at("emotion").addEventListener("change", (event) => {
    if (event.target.value) ofSegment("wrong", event.target.value);
  });
  at("only-note").addEventListener("click", () => send({ verdict: "note" }));
  document.addEventListener("position", (event) => choose(event.detail));
  choose(Number(document.getElementById("player").dataset.start));
  send();
})();
