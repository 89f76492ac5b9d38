// Explore: rows that open in place, links that copy, completion of the query. All of them are links or forms without this.
"use strict";
// A row opens below itself by htmx, and its link closes it again; with Ctrl or Shift it stays a link to the event's page.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[aria-expanded]");
  if (!link) return;
  const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey), isOpen = link.getAttribute("aria-expanded") === "true";
  if (isOpen || !isPlain) event.stopPropagation();
  if (!isOpen || !isPlain) return;
  event.preventDefault();
  link.setAttribute("aria-expanded", "false");
  link.closest("tr").nextElementSibling.remove();
}, true);
document.addEventListener("htmx:afterRequest", ({ detail: { elt, xhr } }) => {
  if (elt.matches("a[aria-expanded]") && xhr.status) elt.setAttribute("aria-expanded", "true");
});
// Links that copy what they lead to: its address or its text.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-copy]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const text = link.dataset.copy === "link" ? link.href : await fetch(link.href).then((answer) => answer.ok && answer.text());
  const isCopied = text && (navigator.clipboard ? await navigator.clipboard.writeText(text).then(() => true, () => false) : copy(text));
  if (isCopied) link.parentNode.querySelector("[role=status]").textContent = "Copied";
  else location.assign(link.href);
});
function copy(text) { // over http, where a page has no clipboard of its own
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  return isCopied;
}
// The query is completed while it is typed: arrow keys choose, Enter takes what is chosen, Esc closes the list.
const query = document.getElementById("query"), list = document.getElementById("completion");
let asked = null, chosen = null;
function choose(option) {
  for (const one of list.children) one.setAttribute("aria-selected", String(one === option));
  chosen = option ?? null;
  query.setAttribute("aria-activedescendant", chosen?.id ?? "");
}
function offer(html) {
  asked?.abort();
  list.innerHTML = html;
  list.hidden = !html;
  query.setAttribute("aria-expanded", String(!list.hidden));
  choose(null);
}
async function complete() {
  asked?.abort();
  const { signal } = asked = new AbortController(), before = encodeURIComponent(query.value.slice(0, query.selectionStart));
  await new Promise((done) => { setTimeout(done, 120); });
  if (signal.aborted) return;
  const answer = await fetch(`${list.dataset.from}?before=${before}`, { signal, headers: { "HX-Request": "true" } }).catch(() => null);
  const html = answer?.ok ? await answer.text().catch(() => "") : "";
  if (!signal.aborted && document.activeElement === query) offer(html.trim());
}
function take({ dataset: { text } }) {
  query.value = text + query.value.slice(query.selectionStart).trimStart();
  query.setSelectionRange(text.length, text.length);
  offer("");
  if (text.endsWith("=")) complete();
}
if (query && list) {
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id]]) query.setAttribute(name, value);
  offer("");
  query.addEventListener("input", complete);
  query.addEventListener("blur", () => offer(""));
  query.form.addEventListener("submit", () => offer(""));
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    if (event.target.closest("li")) take(event.target.closest("li"));
  });
  query.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && list.hidden) complete();
    else if (event.key === "ArrowDown") choose(chosen ? chosen.nextElementSibling : list.firstElementChild);
    else if (event.key === "ArrowUp") choose(chosen ? chosen.previousElementSibling : list.lastElementChild);
    else if (event.key === "Enter" && chosen) take(chosen);
    else if (event.key === "Escape") offer(""); // browsers would empty the field
    else return;
    event.preventDefault();
  });
}
