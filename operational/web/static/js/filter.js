/* Narrows a long list of check boxes to those whose words contain what is typed; groups with a find are opened. */
document.querySelectorAll("[data-filter]").forEach((input) => {
  const groups = [...document.querySelectorAll(`#${input.dataset.filter} [data-group]`)];
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of groups) {
      let found = 0;
      group.querySelectorAll("[data-words]").forEach((item) => {
        const fits = words.every((word) => item.dataset.words.toLowerCase().includes(word));
        item.hidden = !fits;
        found += fits;
      });
      group.hidden = !found;
      if (words.length) group.open = found > 0;
    }
  });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
});

/* The box of a whole group ticks all of the group. */
document.addEventListener("change", (event) => {
  const whole = event.target.closest("[data-whole]");
  whole?.closest("[data-group]").querySelectorAll("[data-words] input").forEach((box) => { box.checked = whole.checked; });
});
