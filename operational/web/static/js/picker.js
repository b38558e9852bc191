/* Search as you type: asks the picker's address by POST, shows its options, keeps the value chosen. */
import { csrfHeaders } from "./csrf.js";

const DELAY = 220;
const state = new WeakMap();

const parts = (picker) => ({
  text: picker.querySelector("[data-picker-text]"),
  value: picker.querySelector("[data-picker-value]"),
  list: picker.querySelector("[data-picker-list]"),
  clear: picker.querySelector("[data-picker-clear]"),
});

function close(picker) {
  const { text, list } = parts(picker);
  list.hidden = true;
  text.setAttribute("aria-expanded", "false");
  text.removeAttribute("aria-activedescendant");
}

function highlight(picker, option) {
  const { text, list } = parts(picker);
  list.querySelectorAll('[aria-selected="true"]').forEach((other) => other.removeAttribute("aria-selected"));
  if (!option) return;
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  text.setAttribute("aria-activedescendant", option.id);
}

function choose(picker, option) {
  const { text, value, clear } = parts(picker);
  value.value = option.dataset.value;
  text.value = option.dataset.text;
  clear.hidden = false;
  close(picker);
  value.dispatchEvent(new Event("change", { bubbles: true }));
  picker.dispatchEvent(new CustomEvent("kmis:picked", { bubbles: true, detail: { value: value.value, text: text.value } }));
}

async function ask(picker) {
  const { text, list } = parts(picker);
  const asked = text.value.trim();
  const known = state.get(picker) || {};
  known.abort?.abort();
  if (!asked) return close(picker);
  const abort = new AbortController();
  state.set(picker, { ...known, abort });
  const body = new URLSearchParams({ q: asked });
  for (const [name, value] of new FormData(picker.closest("form") || undefined)) {
    if (picker.dataset.send?.split(" ").includes(name)) body.append(name, value);
  }
  try {
    const answer = await fetch(picker.dataset.url, {
      method: "POST", body, signal: abort.signal, headers: { ...csrfHeaders(), "HX-Request": "true" },
    });
    if (!answer.ok) return close(picker);
    list.innerHTML = await answer.text();
    list.querySelectorAll(".option").forEach((option, place) => { option.id = `${list.id}-${place}`; });
    list.hidden = false;
    text.setAttribute("aria-expanded", "true");
    highlight(picker, list.querySelector(".option"));
  } catch (error) {
    if (error.name !== "AbortError") close(picker);
  }
}

export function installPickers() {
  document.addEventListener("input", (event) => {
    const picker = event.target.matches("[data-picker-text]") && event.target.closest("[data-picker]");
    if (!picker) return;
    const { value, clear, text } = parts(picker);
    value.value = "";
    clear.hidden = !text.value;
    const known = state.get(picker) || {};
    clearTimeout(known.timer);
    state.set(picker, { ...known, timer: setTimeout(() => ask(picker), DELAY) });
  });
  document.addEventListener("keydown", (event) => {
    const picker = event.target.matches?.("[data-picker-text]") && event.target.closest("[data-picker]");
    if (!picker) return;
    const { list } = parts(picker);
    const options = [...list.querySelectorAll(".option")];
    const current = list.hidden ? -1 : options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) ask(picker);
      else if (options.length) highlight(picker, options.at((current + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length));
    } else if (event.key === "Enter" && current >= 0) {
      event.preventDefault();
      choose(picker, options[current]);
    } else if (event.key === "Escape") close(picker);
  });
  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest(".picker-list .option");
    if (option) {
      event.preventDefault();
      choose(option.closest("[data-picker]"), option);
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-picker-clear]");
    if (!button) return;
    const picker = button.closest("[data-picker]");
    const { text, value } = parts(picker);
    text.value = value.value = "";
    button.hidden = true;
    value.dispatchEvent(new Event("change", { bubbles: true }));
    text.focus();
  });
  document.addEventListener("focusout", (event) => {
    const picker = event.target.matches?.("[data-picker-text]") && event.target.closest("[data-picker]");
    if (picker) setTimeout(() => close(picker), 150);
  });
}
