/* Shortcuts: "?" the list, "/" the search field, "g" and a letter a section, Ctrl+Enter saves the form. */
const typing = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

/* The key by its place on the keyboard, so that a Kazakh or Russian layout does not matter. */
const letter = (event) => (event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : "");

export function installKeyboard() {
  let waitingForSection = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = event.target.closest("form");
      const button = form?.querySelector("[data-submit]");
      if (button) {
        event.preventDefault();
        form.requestSubmit(button);
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (waitingForSection > Date.now()) {
      waitingForSection = 0;
      document.querySelector(`[data-shortcut="${CSS.escape(letter(event))}"]`)?.click();
    } else if (letter(event) === "g") waitingForSection = Date.now() + 1500;
    else if (event.key === "?" || (event.shiftKey && event.code === "Slash")) document.getElementById("shortcuts")?.showModal();
    else if (event.code === "Slash") {
      const search = document.querySelector("[data-search], [data-picker-text]");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    }
  });
}
