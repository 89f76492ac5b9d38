// Where the service can't be reached, an alert tells so; the page, and what was typed, stay as they are.
"use strict";
const unreachable = document.getElementById("unreachable");
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => { unreachable.hidden = false; });
}
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr && event.detail.xhr.status) unreachable.hidden = true;
});
// Stop: the request of the part around a button, or of its form, is aborted, and the service ends the query.
function stop(within) {
  for (const one of [within, ...within.querySelectorAll("[hx-get]")]) window.htmx?.trigger(one, "htmx:abort");
}
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-stop]")) stop(event.target.closest(".part, form"));
});
// The theme is a cookie, which the service reads, so that no page comes up in another one first. Without scripts its form does the same.
document.addEventListener("submit", (event) => {
  const form = event.target, theme = event.submitter?.value;
  if (!form.matches(".theme")) return;
  event.preventDefault();
  const path = new URL(form.action).pathname.replace(/\/theme$/, "") || "/", isSecure = location.protocol === "https:";
  document.cookie = `rekindle_theme=${theme}; path=${path}; max-age=${theme ? 31536000 : 0}; samesite=lax${isSecure ? "; secure" : ""}`;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.querySelector("meta[name=color-scheme]").content = theme || "light dark";
  for (const one of form.elements) one.setAttribute("aria-pressed", one === event.submitter);
});
// A range is either the last so long, or from and to.
document.addEventListener("input", ({ target }) => {
  const fields = target.form?.elements;
  if (!fields?.last) return;
  if (target.id === "last" && target.value) fields.from.value = fields.to.value = "";
  else if (target.id === "from" || target.id === "to") fields.last.value = "";
});
// The histogram: dragged over, or selected by Shift and arrow keys, it zooms in; each bar is a link without this.
let dragged = null;
const barOf = (event) => {
  const bars = [...dragged.svg.querySelectorAll("a")], box = dragged.svg.getBoundingClientRect();
  const number = Math.floor((event.clientX - box.left) / box.width * bars.length);
  return bars[Math.max(0, Math.min(bars.length - 1, number))];
};
function ends(first, last) {
  const bars = [...first.parentNode.querySelectorAll("a")];
  return [first, last].map((one) => bars.indexOf(one)).sort((one, other) => one - other);
}
function mark(first, last) {
  const [begin, end] = ends(first, last), shown = first.parentNode.querySelector(".selection");
  shown.setAttribute("x", 10 * begin);
  shown.setAttribute("width", first === last ? 0 : 10 * (end - begin + 1));
}
function zoom(first, last) {
  const bars = [...first.parentNode.querySelectorAll("a")], [begin, end] = ends(first, last);
  const address = new URL(bars[begin].getAttribute("href"), location);
  address.searchParams.set("to", bars[end].dataset.to);
  location.assign(address);
}
function read(bar) {
  const readout = document.getElementById("readout");
  if (readout && !readout.dataset.first) readout.dataset.first = readout.textContent || " ";
  if (readout) readout.textContent = bar ? bar.getAttribute("aria-label") : readout.dataset.first + readout.dataset.idle;
}
document.addEventListener("pointerdown", (event) => {
  const svg = event.target.closest?.(".bars");
  if (!svg || event.button) return;
  dragged = { svg };
  dragged.first = dragged.last = barOf(event);
});
document.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  dragged.last = barOf(event);
  mark(dragged.first, dragged.last);
});
document.addEventListener("pointerup", () => {
  if (dragged && dragged.first !== dragged.last) zoom(dragged.first, dragged.last);
  dragged = null;
});
document.addEventListener("pointercancel", () => { dragged = null; });
document.addEventListener("dragstart", (event) => { if (event.target.closest?.(".bars")) event.preventDefault(); });
for (const name of ["pointerover", "focusin"]) {
  document.addEventListener(name, (event) => {
    const bar = event.target.closest?.(".bars a");
    if (bar || event.target.closest?.("main")) read(bar);
  });
}
function moveInBars(event, bar) {
  const next = { ArrowLeft: bar.previousElementSibling, ArrowRight: bar.nextElementSibling }[event.key];
  if (event.key === "Enter" && dragged) zoom(dragged.first, bar);
  else if (next?.matches("a")) {
    dragged = event.shiftKey ? dragged ?? { svg: bar.parentNode, first: bar } : null;
    mark(dragged?.first ?? next, next);
    bar.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  } else return;
  event.preventDefault();
}
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea"), bar = event.target.closest(".bars a");
  if (bar) moveInBars(event, bar);
  if (event.key === "Escape") for (const one of document.querySelectorAll(".htmx-request")) stop(one);
  if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && event.key.length === 1 && event.key !== "\"") {
    document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
  }
  const query = document.getElementById("query");
  if (event.key === "/" && query && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    query.focus();
  }
});
