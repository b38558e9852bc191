/* Drafts: what is typed into a form is kept on the server, and in this browser while the line is down.

   What waits here is tied to the user's id; it is wiped at sign-out and whenever another user has signed in. */
import { csrfHeaders } from "./csrf.js";

const DELAY = 900;
const RETRY = 5000;
const PREFIX = "kmis-draft:";
const SENT = "kmis-draft-sent";
let settled = Promise.resolve();
const user = () => document.body.dataset.user || "";
const storageKey = (form) => `${PREFIX}${user()}:${form.dataset.draft}:${form.dataset.draftSubject}`;
const address = (form) => `/drafts/${encodeURIComponent(form.dataset.draft)}/${encodeURIComponent(form.dataset.draftSubject)}`;

function content(form) {
  const fields = {};
  for (const [name, value] of new FormData(form)) {
    if (name === "csrf_token" || typeof value !== "string") continue;
    (fields[name] ||= []).push(value);
  }
  return fields;
}

function fill(form, fields) {
  document.dispatchEvent(new CustomEvent("kmis:draft-rows", { detail: { form, fields } }));
  const taken = {};
  for (const element of form.elements) {
    if (!element.name || element.name === "csrf_token" || element.type === "file") continue;
    const values = fields[element.name] || [];
    if (element.type === "checkbox" || element.type === "radio") element.checked = values.includes(element.value);
    else if (element.name in fields && element.tagName !== "BUTTON") {
      const place = (taken[element.name] = (taken[element.name] ?? -1) + 1);
      if (values[place] !== undefined) element.value = values[place];
    }
  }
  form.dispatchEvent(new CustomEvent("kmis:draft-restored", { bubbles: true }));
}

function show(form, state) {
  const place = form.querySelector("[data-draft-state]") || document.querySelector("[data-draft-state]");
  if (!place) return;
  place.dataset.state = state;
  place.textContent = state ? place.dataset[state] : "";
}

function lineState(down) {
  const sign = document.querySelector("[data-line-state]");
  if (sign) sign.hidden = !down;
}

async function send(form, waiting) {
  const answer = await fetch(address(form), {
    method: "PUT",
    headers: { ...csrfHeaders(), "Content-Type": "application/json" },
    body: JSON.stringify({ content: waiting }),
    keepalive: JSON.stringify(waiting).length < 60000,
  });
  if (!answer.ok) throw new Error(String(answer.status));
}

function watch(form) {
  let timer = 0;
  let submitted = false;
  const keep = async () => {
    if (submitted) return;
    const now = content(form);
    localStorage.setItem(storageKey(form), JSON.stringify({ at: Date.now(), content: now }));
    show(form, "saving");
    try {
      await send(form, now);
      if (submitted) return;
      localStorage.removeItem(storageKey(form));
      lineState(false);
      show(form, "saved");
    } catch {
      lineState(true);
      show(form, "waiting");
      clearTimeout(timer);
      timer = setTimeout(keep, RETRY);
    }
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(keep, DELAY);
  };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  form.addEventListener("submit", () => {
    submitted = true;
    clearTimeout(timer);
    const sent = { address: address(form), storage: storageKey(form), form: form.dataset.draft, subject: form.dataset.draftSubject };
    sessionStorage.setItem(SENT, JSON.stringify(sent));
  });
  /* A form that htmx sends stays on the page when the line drops: it goes on being kept. */
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    form.addEventListener(name, () => {
      submitted = false;
      keep();
    });
  }
  window.addEventListener("online", () => {
    if (localStorage.getItem(storageKey(form))) keep();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden" && timer) {
      clearTimeout(timer);
      keep();
    }
  });
  return keep;
}

async function restore(form, keep) {
  const waiting = localStorage.getItem(storageKey(form));
  if (waiting) {
    fill(form, JSON.parse(waiting).content);
    show(form, "restored");
    await keep();
    return;
  }
  if (form.querySelector(".field-bad")) return;
  await settled;
  try {
    const answer = await fetch(address(form));
    if (answer.status !== 200) return;
    fill(form, (await answer.json()).content);
    show(form, "restored");
  } catch {
    lineState(true);
  }
}

/* After a form was sent: its draft goes when the next page says so (the form is gone, or a success toast came).
   An error page, a refused field or a lost connection leaves the draft where it is. */
function settleSubmitted() {
  const noted = sessionStorage.getItem(SENT);
  if (!noted) return;
  const sent = JSON.parse(noted);
  const again = [...document.querySelectorAll("form[data-draft]")].some(
    (form) => form.dataset.draft === sent.form && form.dataset.draftSubject === sent.subject,
  );
  sessionStorage.removeItem(SENT);
  if (!user() || document.querySelector(".error-page") || (again && !document.querySelector(".toast-ok"))) return;
  localStorage.removeItem(sent.storage);
  settled = fetch(sent.address, { method: "DELETE", headers: csrfHeaders(), keepalive: true }).catch(() => undefined);
}

export function wipeDrafts(except = "") {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(PREFIX) && !(except && key.startsWith(`${PREFIX}${except}:`))) localStorage.removeItem(key);
  }
}

export function installDrafts() {
  if (user()) wipeDrafts(user());
  settleSubmitted();
  const seen = new WeakSet();
  const install = (root) => {
    for (const form of root.querySelectorAll("form[data-draft]")) {
      if (seen.has(form)) continue;
      seen.add(form);
      restore(form, watch(form));
    }
  };
  if (user()) {
    install(document);
    document.body.addEventListener("htmx:afterSettle", () => install(document));
  }
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-wipe]")) wipeDrafts();
  });
  window.addEventListener("offline", () => lineState(true));
  window.addEventListener("online", () => lineState(false));
  if (!navigator.onLine) lineState(true);
}
