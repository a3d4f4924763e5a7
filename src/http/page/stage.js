// Wheel, fingers, keys and buttons -> where the picture lies on its stage, how large, and where it is divided into before and
// after. Knows no photo: two images of the same shape are all it is given.

const element = (name) => document.querySelector(`#${name}`);
const [stage, sheet, cutout, split, handle] = ["stage", "sheet", "cutout", "split", "handle"].map(element);
const ZOOM_MAX = 16;
const STEP = 1.5;
const PAN = 60;
/** How near to the division a pointer takes hold of it. */
const NEAR = 22;

/** Size of the picture that fills the stage, what it is enlarged by, and where its corner is. */
let view = { zoom: 1, x: 0, y: 0, width: 0, height: 0 };
let zoomMin = 1;
let isSplitting = false;
const pointers = new Map();

/** Begins. */
export function start() {
  split.oninput = apply;
  element("zoom-fit").onclick = fit;
  element("zoom-in").onclick = () => zoomBy(STEP);
  element("zoom-out").onclick = () => zoomBy(1 / STEP);
  stage.addEventListener("wheel", wheel, { passive: false });
  stage.addEventListener("pointerdown", down);
  stage.addEventListener("pointermove", move);
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, up);
  new ResizeObserver(fit).observe(stage);
}

/** Shows the whole picture. */
export function fit() {
  const [room, high] = [stage.clientWidth, stage.clientHeight];
  if (!cutout.naturalWidth || !room) return;
  const scale = Math.min(room / cutout.naturalWidth, high / cutout.naturalHeight);
  const [width, height] = [cutout.naturalWidth * scale, cutout.naturalHeight * scale];
  zoomMin = 1;
  view = { zoom: 1, x: (room - width) / 2, y: (high - height) / 2, width, height };
  apply();
}

/** Shows a picture of so many pixels across with one of them on one of the screen. */
export function showPixels(width) {
  const zoom = width / devicePixelRatio / view.width;
  zoomMin = Math.min(1, zoom);
  zoomBy(zoom / view.zoom);
}

/** Does what a key stands for; tells whether it stands for something. */
export function press(key, isShifted) {
  const act = {
    "+": () => zoomBy(STEP), "=": () => zoomBy(STEP), "-": () => zoomBy(1 / STEP), 0: fit,
    ...(isShifted && {
      ArrowLeft: () => pan(PAN, 0), ArrowRight: () => pan(-PAN, 0),
      ArrowUp: () => pan(0, PAN), ArrowDown: () => pan(0, -PAN),
    }),
  }[key];
  act?.();
  return Boolean(act);
}

/** Enlarges around a point of the stage, its middle if none is given. */
function zoomBy(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const zoom = Math.min(Math.max(ZOOM_MAX, zoomMin), Math.max(zoomMin, view.zoom * factor));
  const by = zoom / view.zoom;
  view = { ...view, zoom, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
  apply();
}

function pan(x, y) {
  view = { ...view, x: view.x + x, y: view.y + y };
  apply();
}

/** A picture that is smaller than the stage is in its middle; a larger one leaves no gap at an edge. */
function within(corner, size, room) {
  return size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, corner));
}

function apply() {
  const [room, high] = [stage.clientWidth, stage.clientHeight];
  const [width, height] = [view.width * view.zoom, view.height * view.zoom];
  view.x = within(view.x, width, room);
  view.y = within(view.y, height, high);
  sheet.style.width = `${width}px`;
  sheet.style.height = `${height}px`;
  sheet.style.transform = `translate(${view.x}px, ${view.y}px)`;
  sheet.dataset.zoom = view.zoom.toFixed(2);
  // The division moves over what can be seen of the picture.
  const { left, span } = seen();
  const at = left + (span * split.value) / 100;
  handle.style.transform = `translateX(${at}px)`;
  sheet.style.setProperty("--split", `${((at - view.x) / width) * 100}%`);
  stage.classList.toggle("enlarged", isEnlarged());
}

/** Tells whether there is more of the picture than can be seen. */
function isEnlarged() {
  return view.width * view.zoom > stage.clientWidth + 1 || view.height * view.zoom > stage.clientHeight + 1;
}

function seen() {
  const left = Math.max(0, view.x);
  return { left, span: Math.min(stage.clientWidth, view.x + view.width * view.zoom) - left };
}

function divideAt(x) {
  const { left, span } = seen();
  split.value = Math.round(((x - left) / span) * 1000) / 10;
  apply();
}

function place(event) {
  const box = stage.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function wheel(event) {
  event.preventDefault();
  zoomBy(Math.exp(-event.deltaY / 300), ...place(event));
}

function down(event) {
  if (event.button !== 0) return;
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  const { left, span } = seen();
  const x = place(event)[0];
  // A picture that is seen whole cannot be moved: there the division comes to the pointer.
  const isMeant = !isEnlarged() || Math.abs(x - left - (span * split.value) / 100) < NEAR;
  isSplitting = isMeant && pointers.size === 1 && !handle.hidden && !sheet.hidden;
  if (isSplitting) divideAt(x);
  stage.classList.add("dragged");
}

function move(event) {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  if (pointers.size === 2) pinch(event);
  else if (isSplitting) divideAt(place(event)[0]);
  else pan(event.clientX - last.clientX, event.clientY - last.clientY);
  pointers.set(event.pointerId, event);
}

function pinch(event) {
  const mine = pointers.get(event.pointerId);
  const other = [...pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
  const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  const [[x, y], [otherX, otherY]] = [place(event), place(other)];
  zoomBy(apart(event) / Math.max(1, apart(mine)), (x + otherX) / 2, (y + otherY) / 2);
}

function up(event) {
  pointers.delete(event.pointerId);
  if (pointers.size === 0) stage.classList.remove("dragged");
}
