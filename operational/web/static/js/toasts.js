/* Toasts: those that came with the page fade by themselves (not those with an undo still useful), others are added. */
const STAY = 6000;
const STAY_WITH_UNDO = 15000;

function post(url, token) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = url;
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "csrf_token";
  field.value = token;
  form.append(field);
  document.body.append(form);
  form.submit();
}

export function showToast({ text, tone = "info", undo = null }) {
  const holder = document.getElementById("toasts");
  const toast = document.createElement("div");
  toast.className = `toast toast-${tone}`;
  const words = document.createElement("span");
  words.textContent = text;
  toast.append(words);
  if (undo) {
    const button = document.createElement("button");
    button.className = "toast-undo";
    button.textContent = holder.dataset.undo;
    button.addEventListener("click", () => post(undo, JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"]));
    toast.append(button);
  }
  const close = document.createElement("button");
  close.className = "toast-close";
  close.setAttribute("aria-label", holder.dataset.close);
  close.textContent = "×";
  close.addEventListener("click", () => toast.remove());
  toast.append(close);
  holder.append(toast);
  if (tone !== "danger") setTimeout(() => toast.remove(), undo ? STAY_WITH_UNDO : STAY);
}

export function installToasts() {
  const holder = document.getElementById("toasts");
  if (!holder) return;
  holder.querySelectorAll("[data-toast]").forEach((toast) => {
    if (!toast.classList.contains("toast-danger")) setTimeout(() => toast.remove(), toast.querySelector("form") ? STAY_WITH_UNDO : STAY);
  });
  holder.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest(".toast").remove());
  document.body.addEventListener("kmis:toast", (event) => showToast(event.detail));
  document.body.addEventListener("htmx:sendError", () => showToast({ text: holder.dataset.failed, tone: "warning" }));
  document.body.addEventListener("htmx:timeout", () => showToast({ text: holder.dataset.failed, tone: "warning" }));
}
