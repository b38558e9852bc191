// Leaves the page as soon as the session behind it has ended or belongs to somebody else: at a shared
// workplace no patient row may stay on the screen after the sign-out.
(() => {
  const EVERY_MS = 4000;
  let first = null;
  const look = async () => {
    let answer;
    try {
      answer = await fetch("/_kmis/session", { cache: "no-store", credentials: "same-origin" });
    } catch {
      return; // the line is down: the socket has its own message for that
    }
    if (answer.status === 401 || answer.status === 403) {
      document.body.replaceChildren();
      location.reload();
      return;
    }
    if (!answer.ok) return;
    const { session } = await answer.json();
    if (first === null) {
      first = session;
    } else if (first !== session) {
      document.body.replaceChildren();
      location.reload();
    }
  };
  look();
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
})();
