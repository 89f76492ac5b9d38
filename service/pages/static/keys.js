// Keys of every page, the zone of its times, the width of messages, and recent queries. What a link does, its data-key names.
"use strict";
const kept = (name, value) => { // a browser may keep nothing: all works without it
  try {
    if (value !== undefined) localStorage.setItem(`rekindle.${name}`, value);
    return localStorage.getItem(`rekindle.${name}`);
  } catch { return null; }
};
// Times: the text of an element begins with one in UTC, of the length that it has here.
function showTimes() {
  const isLocal = kept("zone") === "local", name = isLocal ? Intl.DateTimeFormat().resolvedOptions().timeZone : "UTC";
  for (const one of document.querySelectorAll("time[datetime], .bars a[data-from]")) {
    const isBar = one.matches("a");
    one.dataset.utc ??= isBar ? one.getAttribute("aria-label") : one.textContent;
    const at = new Date(isBar ? one.dataset.from : one.dateTime), length = one.dataset.utc.match(/^[-\d]+[ T]?[\d:.]*/)?.[0].length;
    const there = new Date(at - at.getTimezoneOffset() * 60000);
    if (isNaN(there) || !length || length < 16) continue;
    const text = isLocal ? there.toISOString().replace("T", " ").slice(0, length) + one.dataset.utc.slice(length) : one.dataset.utc;
    if (isBar) one.setAttribute("aria-label", text);
    else one.textContent = text;
  }
  for (const one of document.querySelectorAll("table:has(time) th")) {
    if (one.dataset.zone ??= one.textContent.includes("(UTC)") ? one.textContent : "") one.textContent = one.dataset.zone.replace("UTC", name);
  }
}
function showPreferences() {
  document.documentElement.classList.toggle("one-line", kept("wrap") === "off");
  for (const one of document.querySelectorAll("[data-toggle]")) {
    one.hidden = false;
    one.setAttribute("aria-pressed", String(kept(one.dataset.toggle) === one.dataset.value));
  }
  showTimes();
}
// Recent queries: those that had an answer, of this browser alone; who signs out leaves none.
function noteQuery() {
  const asked = new URLSearchParams(location.search);
  if (!document.querySelector("[data-recent]") || !asked.get("query")) return;
  for (const name of ["saved", "cursor"]) asked.delete(name);
  const rest = JSON.parse(kept("recent") ?? "[]").filter((one) => one !== asked.toString());
  kept("recent", JSON.stringify([asked.toString(), ...rest].slice(0, 15)));
}
document.addEventListener("toggle", ({ target }) => {
  if (!target.open) return;
  const recent = target.querySelector("[data-recent]"), addresses = recent ? JSON.parse(kept("recent") ?? "[]") : [];
  recent?.querySelector("ul").replaceChildren(...addresses.map((address) => {
    const item = document.createElement("li"), link = document.createElement("a");
    link.href = `?${address}`;
    link.textContent = new URLSearchParams(address).get("query");
    item.append(link);
    return item;
  }));
  if (recent) recent.hidden = !addresses.length;
  target.querySelector("[data-first]")?.focus();
}, true);
document.addEventListener("submit", ({ target }) => { if (target.matches("[data-sign-out]")) kept("recent", "[]"); });
document.addEventListener("click", (event) => {
  const { toggle, value } = event.target.closest("[data-toggle]")?.dataset ?? {};
  if (toggle) kept(toggle, kept(toggle) === value ? "" : value);
  if (toggle) showPreferences();
  if (event.target.closest("[data-close]")) document.getElementById("keys-dialog").close();
  if (!event.target.closest("[data-help]") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  document.getElementById("keys-dialog").showModal();
});
// Rows are gone through by the focus of their links.
function moveTo(step, kind) {
  const rows = [...document.querySelectorAll(`.events tbody > tr:not(.opened)`)];
  const here = rows.findIndex((row) => row.contains(document.activeElement) || row.nextElementSibling?.matches(".opened") && row.nextElementSibling.contains(document.activeElement));
  const others = step > 0 ? rows.slice(here + 1) : rows.slice(0, Math.max(here, 0)).reverse();
  others.find((row) => row.matches(kind))?.querySelector("a").focus();
}
const ACTIONS = {
  j: () => moveTo(1, "*"), k: () => moveTo(-1, "*"), e: () => moveTo(1, ".error"), E: () => moveTo(-1, ".error"),
  o: () => document.activeElement.closest(".events tbody tr")?.querySelector("a").click(),
  t: () => document.getElementById("last")?.focus(),
  h: () => document.querySelector(".bars a[tabindex='0']")?.focus(),
};
let isPageNext = false;
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input, select, textarea, [contenteditable]"), wasPageNext = isPageNext;
  isPageNext = false;
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  isPageNext = event.key === "g" && !wasPageNext;
  const page = wasPageNext && document.querySelector(`[data-page="${CSS.escape(event.key)}"]`);
  if (!page && (!Object.hasOwn(ACTIONS, event.key) || wasPageNext)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (page) page.click();
  else ACTIONS[event.key]();
}, true);
document.addEventListener("htmx:load", () => { showPreferences(); noteQuery(); });
showPreferences();
noteQuery();
