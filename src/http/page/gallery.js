// The ledger's pages -> tiles, of which only those near the screen exist: ten thousand results cost what a screenful costs.

import * as api from "./api.js";

const PAGE = 120;
const GAP = 16;
const CAPTION = 62;
const ASIDE_CAPTION = 150;
/** Rows made above and below the screen. */
const SPARE_ROWS = 2;

const room = document.querySelector("#gallery");
const empty = document.querySelector("#empty");

let photos = [];
let known = new Set();
let next = null;
let isLoading = false;
let filter = { folder: "", state: "done" };
/** Answers for an earlier filter are dropped. */
let round = 0;
const tiles = new Map();
let onOpen = () => {};

/** Begins; `open(index)` is called for the tile that was chosen. */
export function start(open) {
  onOpen = open;
  addEventListener("scroll", render, { passive: true });
  new ResizeObserver(render).observe(room);
}

/** Shows other photos. */
export async function choose(folder, state) {
  filter = { folder, state };
  round += 1;
  photos = [];
  known = new Set();
  next = null;
  isLoading = false;
  for (const tile of tiles.values()) tile.remove();
  tiles.clear();
  await more();
}

/** Looks for photos that have come since, and puts them in front. */
export async function refresh() {
  const mine = round;
  const page = await api.photos({ ...filter, count: PAGE });
  if (mine !== round) return 0;
  const oldest = page.next ?? 0;
  // Within the span of the page the server is right: what is not there stands otherwise by now.
  const kept = photos.filter((photo) => photo.id < oldest);
  const fresh = page.photos.filter((photo) => !known.has(photo.id)).length;
  photos = [...page.photos, ...kept];
  known = new Set(photos.map((photo) => photo.id));
  if (kept.length === 0) next = page.next;
  redraw();
  return fresh;
}

/** The photo at a place, or nothing. */
export function at(index) {
  return photos[index];
}

/** Sees to it that the photos around a place are there. */
export function near(index) {
  if (index > photos.length - 20) more();
}

/** Puts the focus on the tile at a place. */
export function focus(index) {
  tiles.get(index)?.querySelector(".open").focus();
}

async function more() {
  if (isLoading || (photos.length > 0 && next === null)) return;
  isLoading = true;
  const mine = round;
  try {
    const page = await api.photos({ ...filter, after: next, count: PAGE });
    if (mine !== round) return;
    const fresh = page.photos.filter((photo) => !known.has(photo.id));
    photos.push(...fresh);
    for (const photo of fresh) known.add(photo.id);
    next = page.next;
  } finally {
    if (mine === round) isLoading = false;
  }
  redraw();
}

function redraw() {
  for (const tile of tiles.values()) tile.remove();
  tiles.clear();
  empty.hidden = photos.length > 0;
  render();
}

function layout() {
  const width = room.clientWidth;
  const columns = Math.max(1, Math.floor((width + GAP) / (220 + GAP)));
  const side = (width - GAP * (columns - 1)) / columns;
  const height = side * 0.8 + (filter.state === "quarantined" ? ASIDE_CAPTION : CAPTION);
  return { columns, side, height, row: height + GAP };
}

function render() {
  const { columns, side, height, row } = layout();
  room.style.height = `${Math.ceil(photos.length / columns) * row}px`;
  const top = -room.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(top / row) - SPARE_ROWS) * columns;
  const last = Math.min(photos.length, (Math.ceil((top + innerHeight) / row) + SPARE_ROWS) * columns);
  for (const [index, tile] of tiles) {
    if ((index < first || index >= last) && !tile.contains(document.activeElement)) {
      tile.remove();
      tiles.delete(index);
    }
  }
  for (let index = first; index < last; index += 1) {
    const tile = tiles.get(index) ?? place(index);
    const x = (index % columns) * (side + GAP);
    const y = Math.floor(index / columns) * row;
    tile.style.transform = `translate(${x}px, ${y}px)`;
    tile.style.width = `${side}px`;
    tile.style.height = `${height}px`;
  }
  if (last > photos.length - 4 * columns) more();
}

/** Makes the tile of a place, in the order in which the tab key goes through them. */
function place(index) {
  const tile = make(photos[index], index);
  const later = [...tiles.keys()].filter((other) => other > index);
  room.insertBefore(tile, tiles.get(Math.min(...later)) ?? null);
  tiles.set(index, tile);
  return tile;
}

function make(photo, index) {
  const tile = document.createElement("div");
  tile.className = "tile";
  const isAside = photo.state === "quarantined";
  const open = document.createElement("button");
  open.type = "button";
  open.className = "open checker";
  open.setAttribute("aria-label", `Show ${photo.source}`);
  open.disabled = isAside;
  open.onclick = () => onOpen(index);
  const picture = document.createElement("img");
  picture.alt = "";
  picture.loading = "lazy";
  picture.decoding = "async";
  picture.onerror = () => picture.remove();
  picture.src = api.pictures(photo.id).tile(isAside ? "source" : "cutout");
  open.append(picture);
  const caption = document.createElement("div");
  caption.className = "caption";
  caption.append(text("name", photo.source), text("of", photo.folder));
  if (isAside) caption.append(text("reason", photo.reason ?? ""), retryButton(photo));
  tile.append(open, caption);
  return tile;
}

function text(kind, words) {
  const span = document.createElement("span");
  span.className = kind;
  span.textContent = words;
  span.title = words;
  return span;
}

function retryButton(photo) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "retry";
  button.textContent = "Try again";
  button.onclick = async () => {
    button.disabled = true;
    try {
      await api.retry(photo.id);
      button.textContent = "Waiting…";
    } catch (problem) {
      button.textContent = problem.message;
    }
  };
  return button;
}
