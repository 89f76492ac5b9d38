// A mistake's link leads to its place in the editor; Ctrl+Enter tests.
"use strict";
const editor = document.getElementById("text");
document.addEventListener("click", (event) => {
  const { line, column } = event.target.closest("[data-line]")?.dataset ?? {};
  if (!line) return;
  event.preventDefault();
  const place = editor.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1) + Number(column) - 1;
  editor.focus();
  editor.setSelectionRange(place, place + 1);
});
editor.form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) editor.form.requestSubmit();
});
