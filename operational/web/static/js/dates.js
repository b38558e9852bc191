/* Date fields: digits are grouped into dd.mm.yyyy while typing; the button opens the browser's calendar. */
const grouped = (digits) => [digits.slice(0, 2), digits.slice(2, 4), digits.slice(4, 8)].filter(Boolean).join(".");

export function installDates() {
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.matches("[data-date]")) {
      if (event.inputType?.startsWith("delete") || field.selectionStart !== field.value.length) return;
      field.value = grouped(field.value.replace(/\D/g, "").slice(0, 8));
    } else if (field.matches(".date-native") && field.value) {
      const text = field.parentElement.querySelector("[data-date]");
      text.value = field.value.split("-").reverse().join(".");
      text.dispatchEvent(new Event("input", { bubbles: true }));
      text.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-date-open]");
    if (!button) return;
    const box = button.parentElement;
    const native = box.querySelector(".date-native");
    const parts = box.querySelector("[data-date]").value.split(".");
    native.value = parts.length === 3 ? parts.reverse().join("-") : "";
    if (native.showPicker) native.showPicker();
    else native.focus();
  });
}
