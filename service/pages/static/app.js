// Where the service can't be reached, an alert tells so; the page, and what was typed, stay as they are.
"use strict";
const unreachable = document.getElementById("unreachable");
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => { unreachable.hidden = false; });
}
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr && event.detail.xhr.status) unreachable.hidden = true;
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea");
  const query = document.getElementById("query");
  if (event.key === "/" && query && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    query.focus();
  }
});
