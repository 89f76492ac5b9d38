// Backfill: fields that are wrong are marked as such, files are dropped and their upload is shown.
"use strict";
document.addEventListener("htmx:oobAfterSwap", ({ target }) => {
  const field = target.id?.startsWith("wrong-") && document.getElementById(target.id.slice(6));
  if (field) field.toggleAttribute("aria-invalid", false);
  if (field && target.textContent.trim()) field.setAttribute("aria-invalid", "true");
});
const form = document.getElementById("upload-form"), files = document.getElementById("files");
const size = (bytes) => bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
function failed(text) {
  const alert = document.createElement("p");
  alert.className = "alert";
  alert.setAttribute("role", "alert");
  alert.textContent = text;
  document.getElementById("upload-failure").replaceChildren(...text ? [alert] : []);
}
const isFiles = (event) => form && event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!isFiles(event)) return;
  event.preventDefault();
  files.classList.add("over");
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) files?.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  if (!isFiles(event)) return;
  event.preventDefault();
  files.classList.remove("over");
  files.files = event.dataTransfer.files;
  files.focus();
});
form?.addEventListener("htmx:confirm", (event) => {
  const total = [...files.files].reduce((sum, file) => sum + file.size, 0);
  const isMuch = total > form.dataset.limit;
  failed(isMuch ? `The files have ${size(total)}, more than one upload may: send them in several.` : "");
  if (isMuch) event.preventDefault();
});
form?.addEventListener("htmx:xhr:progress", ({ detail }) => {
  if (!detail.lengthComputable) return;
  document.getElementById("upload-progress").value = 100 * detail.loaded / detail.total;
  document.getElementById("uploaded").textContent = `${size(detail.loaded)} of ${size(detail.total)}`;
});
form?.addEventListener("htmx:xhr:abort", () => failed("The upload was stopped: nothing of it stays."));
