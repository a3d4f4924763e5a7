// One photo and its cutout -> before and after, large, with grounds to try, saving, and the way to the next. Asks the server for
// nothing itself; where the picture lies is the stage's business.

import * as stage from "./stage.js";

const element = (name) => document.querySelector(`#${name}`);
const [dialog, ground, sheet, cutout, before] = ["viewer", "stage", "sheet", "cutout", "before"].map(element);
/** How long a picture may take before it is said that it loads. */
const SOON_MS = 400;

const GROUNDS = ["checker", "white", "black", "colour"];

let shown = null;
let step = () => null;
let saying = 0;

/**
 * Shows `{name, before, after, full}`: addresses of the photo, its cutout, and the cutout in full size.
 * `neighbour(by)` gives a call that shows the one before (-1) or after (1), or nothing if there is none;
 * without it there are no others at all.
 */
export function show(picture, neighbour) {
  shown = picture;
  step = neighbour ?? (() => null);
  element("viewer-title").textContent = picture.name;
  for (const [name, by] of [["previous", -1], ["next", 1]]) {
    // Not `disabled`: the focus would be lost.
    element(name).ariaDisabled = step(by) ? null : "true";
    element(name).hidden = !neighbour;
  }
  const save = element("save");
  save.href = picture.full;
  save.download = picture.name;
  sheet.hidden = true;
  alone(false);
  say("Loading…", SOON_MS);
  before.src = picture.before;
  cutout.src = picture.after;
  if (!dialog.open) {
    dialog.showModal();
    ground.focus();
  }
}

/** Tells whether it is open. */
export function isOpen() {
  return dialog.open;
}

/** Begins; `closed()` is called whenever it was closed. */
export function start(closed) {
  stage.start();
  before.onerror = () => alone(true);
  cutout.onload = () => {
    // What loads later is the same in full size, which must stay where it is.
    if (sheet.hidden) {
      sheet.hidden = false;
      stage.fit();
    }
    say("");
  };
  cutout.onerror = () => say("The cutout is not there any more.");
  element("close").onclick = () => dialog.close();
  dialog.onclose = () => {
    clear();
    closed();
  };
  element("previous").onclick = () => step(-1)?.();
  element("next").onclick = () => step(1)?.();
  element("zoom-full").onclick = toFullSize;
  for (const swatch of dialog.querySelectorAll(".swatch")) swatch.onclick = () => choose(swatch.dataset.ground);
  element("colour").oninput = (event) => {
    ground.style.setProperty("--chosen", event.target.value);
    choose("colour");
  };
  dialog.addEventListener("keydown", key);
}

/** Pictures of many megapixels need not stay in memory. */
function clear() {
  shown = null;
  clearTimeout(saying);
  for (const picture of [before, cutout]) picture.removeAttribute("src");
}

/** Without the photo there is nothing to compare. */
function alone(is) {
  sheet.classList.toggle("alone", is);
  element("handle").hidden = is;
  element("split").disabled = is;
  element("split-words").textContent = is ? "The photo cannot be shown" : "Before / after";
}

function say(words, afterMs = 0) {
  clearTimeout(saying);
  const note = element("viewer-note");
  note.textContent = "";
  if (words) saying = setTimeout(() => (note.textContent = words), afterMs);
}

function choose(name) {
  for (const other of GROUNDS) ground.classList.toggle(other, other === name);
  for (const swatch of dialog.querySelectorAll(".swatch")) {
    swatch.ariaPressed = String(swatch.dataset.ground === name);
  }
  element("colour").classList.toggle("chosen", name === "colour");
}

/** One pixel of the cutout on one of the screen, from the file in full size. */
async function toFullSize() {
  const picture = shown;
  const full = new Image();
  full.src = picture.full;
  say("Loading…", SOON_MS);
  try {
    await full.decode();
  } catch {
    if (picture === shown) say("The cutout cannot be shown in full size.");
    return;
  }
  if (picture !== shown) return;
  cutout.src = picture.full;
  stage.showPixels(full.naturalWidth);
}

function key(event) {
  if (event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  const go = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (stage.press(event.key, event.shiftKey)) event.preventDefault();
  else if (go && !event.shiftKey) {
    event.preventDefault();
    step(go)?.();
  }
}
