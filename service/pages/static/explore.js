// Explore: rows that open in place, links that copy, completion of the query. All of them are links or forms without this.
"use strict";
// A row opens below itself by htmx, and its link closes it again; with Ctrl or Shift it stays a link to the event's page.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[aria-expanded]");
  if (!link) return;
  const isOpen = link.getAttribute("aria-expanded") === "true";
  if (isOpen || event.ctrlKey || event.metaKey || event.shiftKey) event.stopPropagation();
  if (!isOpen || event.ctrlKey || event.metaKey || event.shiftKey) return;
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
