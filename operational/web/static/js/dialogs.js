/* Dialogs, the drawer of the navigation, the account menu and printing; one listener for the whole page. */
export function installDialogs() {
  const nav = document.getElementById("nav");
  const toggle = document.querySelector("[data-nav-toggle]");
  const showNav = (open) => {
    nav?.classList.toggle("open", open);
    toggle?.setAttribute("aria-expanded", String(open));
  };
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    const opener = at("[data-open-dialog]");
    if (opener) {
      document.querySelectorAll("details.menu[open]").forEach((menu) => menu.removeAttribute("open"));
      document.getElementById(opener.dataset.openDialog)?.showModal();
    } else if (at("[data-close-dialog]")) at("dialog")?.close();
    else if (event.target instanceof HTMLDialogElement && outside(event)) event.target.close();
    else if (at("[data-print]")) window.print();
    else if (at("[data-nav-toggle]")) showNav(!nav.classList.contains("open"));
    else if (!at("#nav")) showNav(false);
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    showNav(false);
    document.querySelectorAll("details.menu[open]").forEach((menu) => menu.removeAttribute("open"));
  });
  const bad = document.querySelector("main .field-bad input:not([type=hidden]), main .field-bad select, main .field-bad textarea");
  bad?.focus();
}

function outside(event) {
  const box = event.target.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
