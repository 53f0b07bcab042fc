"use strict";
const parts = [...document.querySelectorAll("details.table, details.recipe, details.function")];
const texts = parts.map((part) => part.textContent.toLowerCase());

function find(wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  parts.forEach((part, number) => {
    part.hidden = !words.every((word) => texts[number].includes(word));
    count += !part.hidden;
  });
  document.getElementById("found").value = words.length ? `${count} of ${parts.length}` : "";
}

function openTarget() {
  const part = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (part instanceof HTMLDetailsElement) {
    find("");
    document.getElementById("find").value = "";
    part.open = true;
    part.scrollIntoView();
  }
}

async function copy(button) {
  const code = button.parentElement.querySelector("code");
  let done = false;
  try {
    await navigator.clipboard.writeText(code.textContent);
    done = true;
  } catch {
    getSelection().selectAllChildren(code);
    done = document.execCommand("copy");
  }
  button.textContent = done ? "Copied" : "Select and copy it";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

document.getElementById("find").addEventListener("input", (event) => find(event.target.value));
document.addEventListener("click", (event) => {
  if (event.target.matches("button.copy")) copy(event.target);
});
addEventListener("hashchange", openTarget);
openTarget();
