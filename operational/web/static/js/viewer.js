/* The viewer of images: fetches the stored values of a slice once, shows any window of them in a canvas.
   Form of a slice: see operational/domains/orders/pixels.py, packed(). */
const root = document.querySelector("[data-viewer]");
if (root) start(root);

function start(box) {
  const canvas = box.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const part = (name) => box.querySelector(`[data-${name}]`);
  const slider = part("slice");
  const series = JSON.parse(box.dataset.series);
  const say = { loading: box.dataset.loading, preview: box.dataset.preview, failed: box.dataset.failed };
  const kept = new Map();
  const state = { series: 0, slice: 0, window: null, zoom: 1, x: 0, y: 0, inverted: false, picture: null, turn: 0 };

  const places = () => series[state.series].places;
  const address = (place, scale) => `${box.dataset.url}/pixels/${place[0]}?frame=${place[1]}&scale=${scale}`;

  async function slice(place, scale) {
    const key = `${place[0]}/${place[1]}`;
    const have = kept.get(key);
    if (have && have.scale <= scale) return have;
    const answer = await fetch(address(place, scale), { credentials: "same-origin", headers: { Accept: "application/octet-stream" } });
    if (!answer.ok) throw new Error((await problem(answer)) || say.failed);
    const picture = await unpack(await answer.arrayBuffer());
    const standing = kept.get(key);
    if (!standing || standing.scale > picture.scale) keep(key, picture);
    return kept.get(key);
  }

  function keep(key, picture) {
    kept.delete(key);
    kept.set(key, picture);
    while (kept.size > 160) kept.delete(kept.keys().next().value);
  }

  async function show() {
    const turn = ++state.turn;
    const place = places()[state.slice];
    slider.max = String(places().length - 1);
    slider.value = String(state.slice);
    part("number").textContent = `${state.slice + 1} / ${places().length}`;
    note(say.loading);
    try {
      const first = await slice(place, 2);
      if (turn !== state.turn) return;
      put(first);
      if (first.scale > 1) {
        note(say.preview);
        const whole = await slice(place, 1);
        if (turn !== state.turn) return;
        put(whole);
      }
      note("");
      for (const step of [1, -1, 2]) {
        const next = places()[state.slice + step];
        if (next) slice(next, 2).catch(() => {});
      }
    } catch (error) {
      if (turn === state.turn) { state.picture = null; paint(); note(error.message || say.failed, true); }
    }
  }

  function put(picture) {
    state.picture = picture;
    state.window ??= [...picture.window];
    paint();
  }

  function paint() {
    const wide = canvas.clientWidth, high = canvas.clientHeight, dense = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(wide * dense) || canvas.height !== Math.round(high * dense)) {
      canvas.width = Math.round(wide * dense);
      canvas.height = Math.round(high * dense);
    }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const picture = state.picture;
    if (!picture) return;
    const key = `${state.window}|${state.inverted}`;
    if (picture.painted !== key) {
      picture.bitmap = picture.colour ? picture.bitmap : greys(picture, state.window, state.inverted);
      picture.painted = key;
    }
    const aspect = picture.spacing ? picture.spacing[0] / picture.spacing[1] : 1;
    const fit = Math.min(canvas.width / picture.fullColumns, canvas.height / (picture.fullRows * aspect)) * state.zoom;
    const w = picture.fullColumns * fit, h = picture.fullRows * aspect * fit;
    pen.imageSmoothingEnabled = fit < 4;
    pen.drawImage(picture.bitmap, (canvas.width - w) / 2 + state.x * dense, (canvas.height - h) / 2 + state.y * dense, w, h);
    part("window").textContent = picture.colour ? "" : `C ${Math.round(state.window[0])} · W ${Math.round(state.window[1])}`;
    part("zoom").textContent = `${Math.round(state.zoom * 100)} %`;
    part("location").textContent = picture.location === null ? "" : `${picture.location.toFixed(1)} mm`;
    canvas.dataset.shown = `${state.series}/${state.slice}/${picture.scale}/${state.window.map(Math.round)}`;
  }

  function note(text, bad = false) {
    const place = part("note");
    place.textContent = text;
    place.classList.toggle("viewer-bad", bad);
  }

  const go = (to) => {
    const wanted = Math.max(0, Math.min(places().length - 1, to));
    if (wanted !== state.slice) { state.slice = wanted; show(); }
  };
  const zoom = (factor) => { state.zoom = Math.max(0.5, Math.min(12, state.zoom * factor)); paint(); };
  const level = (centre, width) => { state.window = [centre, Math.max(2, width)]; paint(); };
  function reset() {
    Object.assign(state, { zoom: 1, x: 0, y: 0, inverted: false, window: state.picture ? [...state.picture.window] : null });
    paint();
  }
  const invert = () => { state.inverted = !state.inverted; paint(); };

  box.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.preset) level(...button.dataset.preset.split(",").map(Number));
    else if (button.dataset.act === "reset") reset();
    else if (button.dataset.act === "invert") invert();
    else if (button.dataset.act === "in") zoom(1.25);
    else if (button.dataset.act === "out") zoom(0.8);
    else if (button.dataset.act === "previous") go(state.slice - 1);
    else if (button.dataset.act === "next") go(state.slice + 1);
    else if (button.dataset.seriesIndex) choose(Number(button.dataset.seriesIndex));
  });

  function choose(index) {
    Object.assign(state, { series: index, slice: 0, window: null, zoom: 1, x: 0, y: 0 });
    box.querySelectorAll("[data-series-index]").forEach((b) => b.setAttribute("aria-pressed", String(Number(b.dataset.seriesIndex) === index)));
    show();
  }

  slider.addEventListener("input", () => go(Number(slider.value)));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey) zoom(event.deltaY < 0 ? 1.12 : 0.9);
    else go(state.slice + Math.sign(event.deltaY));
  }, { passive: false });

  /* Drag: the window; with Shift, the right button or a second finger: the picture moves. */
  const fingers = new Map();
  let apart = 0;
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    apart = 0;
    canvas.focus();
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
    fingers.set(event.pointerId, event);
    if (fingers.size > 1) {
      const [a, b] = [...fingers.values()];
      const distance = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (apart) zoom(distance / apart);
      apart = distance;
      state.x += dx / 2;
      state.y += dy / 2;
      paint();
    } else if (event.shiftKey || (event.buttons & 2) || part("move").checked) {
      state.x += dx;
      state.y += dy;
      paint();
    } else if (state.picture && !state.picture.colour) {
      const step = Math.max(1, state.window[1] / 300);
      level(state.window[0] + dy * step, state.window[1] + dx * step);
    }
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => { fingers.delete(event.pointerId); apart = 0; });

  box.addEventListener("keydown", (event) => {
    if (event.target === slider || event.ctrlKey || event.metaKey || event.altKey) return;
    const presets = box.querySelectorAll("[data-preset]");
    const acts = {
      ArrowUp: () => go(state.slice - 1), ArrowDown: () => go(state.slice + 1), ArrowLeft: () => go(state.slice - 1),
      ArrowRight: () => go(state.slice + 1), PageUp: () => go(state.slice - 10), PageDown: () => go(state.slice + 10),
      Home: () => go(0), End: () => go(places().length - 1), "+": () => zoom(1.25), "=": () => zoom(1.25),
      "-": () => zoom(0.8), "0": reset, i: invert,
    };
    const digit = Number(event.key);
    if (digit >= 1 && digit <= presets.length) presets[digit - 1].click();
    else if (acts[event.key]) acts[event.key]();
    else return;
    event.preventDefault();
  });
  new ResizeObserver(paint).observe(canvas);
  show();
}

async function problem(answer) {
  try { return (await answer.json()).detail; } catch { return ""; }
}

async function unpack(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const picture = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  const body = new Uint8Array(buffer, 4 + size);
  if (picture.colour) {
    picture.bitmap = await createImageBitmap(new Blob([body], { type: "image/png" }));
    return picture;
  }
  const { rows, columns } = picture, count = rows * columns;
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const folded = body[i] | (body[count + i] << 8);
    const difference = (folded >>> 1) ^ -(folded & 1);
    const column = i % columns;
    let guess = 0;
    if (i >= columns && column) guess = (real(values[i - 1], picture.signed) + real(values[i - columns], picture.signed)) >> 1;
    else if (column) guess = values[i - 1];
    else if (i) guess = values[i - columns];
    values[i] = guess + difference;
  }
  picture.values = values;
  return picture;
}

const real = (value, signed) => (signed ? (value << 16) >> 16 : value);

/* PS3.3 C.11.2.1.2, the linear function, as a table over all stored values. */
function greys(picture, [centre, width], inverted) {
  const table = new Uint8ClampedArray(65536);
  const flip = picture.inverted !== inverted;
  for (let stored = 0; stored < 65536; stored++) {
    const unit = real(stored, picture.signed) * picture.slope + picture.intercept;
    const shown = Math.max(0, Math.min(255, ((unit - (centre - 0.5)) / (width - 1) + 0.5) * 255));
    table[stored] = flip ? 255 - Math.round(shown) : Math.round(shown);
  }
  const sheet = new OffscreenCanvas(picture.columns, picture.rows);
  const pen = sheet.getContext("2d");
  const image = pen.createImageData(picture.columns, picture.rows);
  for (let i = 0, at = 0; i < picture.values.length; i++, at += 4) {
    const grey = table[picture.values[i]];
    image.data[at] = image.data[at + 1] = image.data[at + 2] = grey;
    image.data[at + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
  return sheet;
}
