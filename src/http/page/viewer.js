// One photo and its cutout -> before and after, large: slider, zoom, grounds to try, saving. Asks the server for nothing itself.

const element = (name) => document.querySelector(`#${name}`);
const [dialog, stage, sheet, cutout, before] = ["viewer", "stage", "sheet", "cutout", "before"].map(element);
const ZOOM_MAX = 16;
const GROUNDS = ["checker", "white", "black", "colour"];

let shown = null;
let step = null;
let view = { zoom: 1, x: 0, y: 0, width: 0, height: 0 };
const pointers = new Map();

/**
 * Shows `{name, before, after, full}`: addresses of the photo, its cutout, and the cutout in full size.
 * `onStep(by)` goes to another one; without it there is none.
 */
export function show(picture, onStep) {
  shown = picture;
  step = onStep ?? null;
  element("viewer-title").textContent = picture.name;
  element("viewer-note").hidden = true;
  element("previous").hidden = element("next").hidden = !step;
  const save = element("save");
  save.href = picture.full;
  save.download = picture.name;
  sheet.classList.remove("alone");
  before.onerror = () => sheet.classList.add("alone");
  cutout.onload = fit;
  cutout.onerror = () => {
    sheet.hidden = true;
    note("The cutout is not there any more.");
  };
  sheet.hidden = false;
  before.src = picture.before;
  cutout.src = picture.after;
  if (!dialog.open) dialog.showModal();
  stage.focus();
}

/** Begins. */
export function start(onClose) {
  element("close").onclick = () => dialog.close();
  dialog.onclose = () => {
    // Pictures of many megapixels need not stay in memory.
    cutout.removeAttribute("src");
    before.removeAttribute("src");
    shown = null;
    onClose();
  };
  element("previous").onclick = () => step?.(-1);
  element("next").onclick = () => step?.(1);
  element("split").oninput = (event) => split(event.target.value);
  element("zoom-fit").onclick = fit;
  element("zoom-full").onclick = toFullSize;
  element("zoom-in").onclick = () => zoomBy(1.5);
  element("zoom-out").onclick = () => zoomBy(1 / 1.5);
  for (const swatch of dialog.querySelectorAll(".swatch")) swatch.onclick = () => ground(swatch.dataset.ground);
  element("colour").oninput = (event) => {
    stage.style.setProperty("--chosen", event.target.value);
    ground("colour");
  };
  dialog.addEventListener("keydown", key);
  stage.addEventListener("wheel", wheel, { passive: false });
  stage.addEventListener("pointerdown", down);
  stage.addEventListener("pointermove", move);
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, up);
  addEventListener("resize", () => shown && fit());
}

/** Where the photo ends and the cutout begins, in percent of the width. */
function split(share) {
  sheet.style.setProperty("--split", `${share}%`);
  element("split").value = share;
}

function note(words) {
  const place = element("viewer-note");
  place.textContent = words;
  place.hidden = false;
}

function ground(name) {
  for (const other of GROUNDS) stage.classList.toggle(other, other === name);
  for (const swatch of dialog.querySelectorAll(".swatch")) {
    swatch.setAttribute("aria-pressed", String(swatch.dataset.ground === name));
  }
}

function fit() {
  if (!cutout.naturalWidth) return;
  const [room, high] = [stage.clientWidth, stage.clientHeight];
  const scale = Math.min(room / cutout.naturalWidth, high / cutout.naturalHeight);
  const [width, height] = [cutout.naturalWidth * scale, cutout.naturalHeight * scale];
  view = { zoom: 1, x: (room - width) / 2, y: (high - height) / 2, width, height };
  apply();
}

function apply() {
  sheet.style.width = `${view.width}px`;
  sheet.style.height = `${view.height}px`;
  sheet.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.zoom})`;
  sheet.style.setProperty("--zoom", view.zoom);
  sheet.dataset.zoom = view.zoom.toFixed(2);
  stage.classList.toggle("enlarged", view.zoom > 1);
}

/** Enlarges around a point of the stage, its middle if none is given. */
function zoomBy(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const zoom = Math.min(ZOOM_MAX, Math.max(1, view.zoom * factor));
  const by = zoom / view.zoom;
  view = { ...view, zoom, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
  if (zoom === 1) fit();
  else apply();
}

/** One pixel of the cutout on one of the screen, from the file in full size. */
async function toFullSize() {
  const picture = shown;
  const full = new Image();
  full.src = picture.full;
  try {
    await full.decode();
  } catch {
    return note("The cutout cannot be shown in full size.");
  }
  if (picture !== shown) return;
  cutout.onload = null;
  cutout.src = picture.full;
  const target = full.naturalWidth / devicePixelRatio / view.width;
  zoomBy(Math.max(1, target) / view.zoom);
}

function key(event) {
  if (event.target.matches("input")) return;
  const act = {
    ArrowLeft: () => step?.(-1), ArrowRight: () => step?.(1),
    "+": () => zoomBy(1.5), "=": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5), 0: fit,
  }[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
}

function wheel(event) {
  event.preventDefault();
  const box = stage.getBoundingClientRect();
  zoomBy(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
}

function down(event) {
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  stage.classList.add("dragged");
  splitAt(event);
}

/** A picture that is not enlarged cannot be moved; there the line goes where the finger is. */
function splitAt(event) {
  if (view.zoom > 1 || pointers.size !== 1 || !view.width) return;
  const x = event.clientX - stage.getBoundingClientRect().left - view.x;
  split(Math.min(100, Math.max(0, (x / view.width) * 100)));
}

function move(event) {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  if (pointers.size === 2) pinch(event);
  else if (view.zoom > 1) {
    view.x += event.clientX - last.clientX;
    view.y += event.clientY - last.clientY;
    apply();
  } else splitAt(event);
  pointers.set(event.pointerId, event);
}

function pinch(event) {
  const [one, two] = [...pointers.values()];
  const other = one.pointerId === event.pointerId ? two : one;
  const mine = one.pointerId === event.pointerId ? one : two;
  const apart = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
  const box = stage.getBoundingClientRect();
  const middle = [(event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top];
  zoomBy(apart(event, other) / Math.max(1, apart(mine, other)), ...middle);
}

function up(event) {
  pointers.delete(event.pointerId);
  if (pointers.size === 0) stage.classList.remove("dragged");
}
