"use strict";

const form = document.getElementById("who");
const field = document.getElementById("name");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await fetch("/name", { method: "POST", body: JSON.stringify({ name: field.value }) });
  if (response.ok) location.assign(form.dataset.then);
  else document.getElementById("status").textContent = (await response.json()).error;
});

field.focus();
