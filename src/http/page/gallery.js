// The ledger's pages -> tiles, of which only those near the screen exist: ten thousand results cost what a screenful costs.

import * as api from "./api.js";

const PAGE = 120;
const GAP = 16;
const CAPTION = 62;
const ASIDE_CAPTION = 150;
/** Rows made above and below the screen. */
const SPARE_ROWS = 2;
/** Photos that the viewer wants ahead of it. */
const SPARE_PHOTOS = 20;

const room = document.querySelector("#gallery");
const empty = document.querySelector("#empty");

let photos = [];
let next = null;
let isLoading = false;
let filter = { folder: "", state: "done" };
/** How often a filter was chosen; answers for an earlier one are dropped. */
let round = 0;
/** The tiles that exist, by the number of their photo: one that comes in front moves the others, and makes none anew. */
const tiles = new Map();
let onOpen = () => {};

/** Begins; `open(photo)` is called for the tile that was chosen. */
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
  next = null;
  isLoading = false;
  for (const id of [...tiles.keys()]) drop(id);
  await more();
}

/** Looks for photos that have come since, and puts them in front. */
export async function refresh() {
  const mine = round;
  const page = await api.photos({ ...filter, count: PAGE });
  if (mine !== round) return 0;
  const known = new Set(photos.map((photo) => photo.id));
  const fresh = page.photos.filter((photo) => !known.has(photo.id)).length;
  // Within the span of the page the server is right: what is not there stands otherwise by now. Where nothing of the page is
  // known, more may have come than it holds.
  const isJoined = fresh < page.photos.length;
  const kept = isJoined ? photos.filter((photo) => photo.id < (page.next ?? 0)) : [];
  photos = [...page.photos, ...kept];
  if (kept.length === 0) next = page.next;
  redraw();
  return fresh;
}

/** The photo so many places after another, or nothing. */
export function beside(id, by) {
  const index = photos.findIndex((photo) => photo.id === id);
  if (index + by > photos.length - SPARE_PHOTOS) askForMore();
  return index < 0 ? undefined : photos[index + by];
}

/** Puts the focus on the tile of a photo, wherever it is by now. */
export function focus(id) {
  const index = photos.findIndex((photo) => photo.id === id);
  if (index < 0) return;
  if (!tiles.has(id)) {
    const { columns, row } = layout();
    scrollTo(0, room.getBoundingClientRect().top + scrollY + Math.floor(index / columns) * row - innerHeight / 3);
    render();
  }
  tiles.get(id)?.element.querySelector(".open").focus();
}

async function more() {
  if (isLoading || (photos.length > 0 && next === null)) return;
  isLoading = true;
  const mine = round;
  try {
    const page = await api.photos({ ...filter, after: next, count: PAGE });
    if (mine !== round) return;
    const known = new Set(photos.map((photo) => photo.id));
    photos.push(...page.photos.filter((photo) => !known.has(photo.id)));
    next = page.next;
  } finally {
    if (mine === round) isLoading = false;
  }
  redraw();
}

/** As `more`; if the server is away, it is asked again by whoever notices that it is back. */
function askForMore() {
  more().catch(() => {});
}

function redraw() {
  const wanted = new Map(photos.map((photo) => [photo.id, look(photo)]));
  for (const [id, tile] of tiles) if (wanted.get(id) !== tile.look) drop(id);
  empty.hidden = photos.length > 0;
  render();
}

function drop(id) {
  tiles.get(id).element.remove();
  tiles.delete(id);
}

function layout() {
  const width = room.clientWidth;
  const isAside = filter.state === "quarantined";
  // On a phone two stand side by side, unless they have a sentence to tell.
  const least = width < 480 && !isAside ? 140 : 220;
  const columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  const side = (width - GAP * (columns - 1)) / columns;
  const height = side * 0.8 + (isAside ? ASIDE_CAPTION : CAPTION);
  return { columns, side, height, row: height + GAP };
}

function render() {
  const { columns, side, height, row } = layout();
  room.style.height = `${Math.ceil(photos.length / columns) * row}px`;
  const top = -room.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(top / row) - SPARE_ROWS) * columns;
  const last = Math.min(photos.length, (Math.ceil((top + innerHeight) / row) + SPARE_ROWS) * columns);
  const near = new Set(photos.slice(first, last).map((photo) => photo.id));
  for (const [id, tile] of tiles) {
    if (!near.has(id) && !tile.element.contains(document.activeElement)) drop(id);
  }
  photos.forEach((photo, index) => {
    if (!tiles.has(photo.id) && !near.has(photo.id)) return;
    const { style } = (tiles.get(photo.id) ?? place(photo)).element;
    style.transform = `translate(${(index % columns) * (side + GAP)}px, ${Math.floor(index / columns) * row}px)`;
    style.width = `${side}px`;
    style.height = `${height}px`;
  });
  if (round > 0 && last > photos.length - 4 * columns) askForMore();
}

/** Makes the tile of a photo, in the order in which the tab key goes through them: the newest first. */
function place(photo) {
  const tile = { element: make(photo), look: look(photo) };
  const older = [...tiles.keys()].filter((other) => other < photo.id);
  room.insertBefore(tile.element, tiles.get(Math.max(...older))?.element ?? null);
  tiles.set(photo.id, tile);
  return tile;
}

/** What of a photo its tile shows. */
function look({ state, attempts, reason, ended_ms }) {
  return [state, attempts, reason, ended_ms].join(" ");
}

function make(photo) {
  const tile = document.createElement("div");
  tile.className = "tile";
  const isAside = photo.state === "quarantined";
  const open = document.createElement("button");
  open.type = "button";
  open.className = "open checker";
  open.setAttribute("aria-label", `Show ${photo.source}`);
  open.disabled = isAside;
  open.onclick = () => onOpen(photo);
  const picture = document.createElement("img");
  picture.alt = "";
  picture.loading = "lazy";
  picture.decoding = "async";
  picture.onerror = () => picture.replaceWith(text("missing", "No picture"));
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
