// The ledger's pages -> tiles, of which only those near the screen exist: ten thousand results cost what a screenful costs.

import * as api from "./api.js";
import { make } from "./tile.js";

const PAGE = 120;
const GAP = 16;
const TILE_WIDTH_MIN = { wide: 210, phone: 150 };
/** Up to this width two cutouts stand side by side on a phone; reasons need the whole width. */
const PHONE_WIDTH_MAX = 480;
const CAPTION = { done: 62, quarantined: 158 };
/** Rows made above and below the screen. */
const SPARE_ROWS = 2;

const room = document.querySelector("#gallery");
const empty = document.querySelector("#empty");

/** Newest first, which is by falling id. */
let photos = [];
/** What to ask for after the last of them; null at the end. */
let next = null;
/** The least id of the page that every look brings; older photos are looked at one by one. */
let frontId = 0;
let isLoading = false;
let filter = { folder: "", state: "done" };
/** Answers for an earlier filter are dropped. */
let round = 0;
/** By id. */
const tiles = new Map();
/** The photo whose row stays in place: as long as it is in the uppermost one, many that come singly move it as often as all at once. */
let anchor;
let onOpen = () => {};

/** Begins; `open(photo)` is called for the tile that was chosen. */
export function start(open) {
  onOpen = open;
  addEventListener("scroll", render, { passive: true });
  let width = 0;
  new ResizeObserver(() => {
    if (width === room.clientWidth) return;
    width = room.clientWidth;
    render();
  }).observe(room);
}

/** Shows other photos. */
export async function choose(folder, state) {
  filter = { folder, state };
  round += 1;
  photos = [];
  next = null;
  isLoading = false;
  for (const tile of tiles.values()) tile.remove();
  tiles.clear();
  await refresh();
}

/** Brings the newest photos up to date; tells how many have come. */
export async function refresh() {
  const mine = round;
  const page = await api.photos({ ...filter, count: PAGE });
  if (mine !== round) return 0;
  const newest = photos[0]?.id ?? 0;
  frontId = page.next ?? 0;
  // Between what was here and a page that does not reach it others may lie: they are asked for once somebody scrolls there.
  const older = newest < frontId ? [] : photos.filter((photo) => photo.id < frontId);
  if (older.length === 0) next = page.next;
  change([...page.photos, ...older]);
  return page.photos.filter((photo) => photo.id > newest).length;
}

/** Looks at one photo again, if it is one of those that `refresh` does not bring. */
export async function heard(id) {
  const mine = round;
  const isBeyond = () => id >= frontId || (next !== null && id < photos.at(-1)?.id);
  if (id === null || isBeyond()) return;
  const photo = await api.photo(id);
  if (mine !== round || isBeyond()) return;
  const isWanted = photo.state === filter.state && (!filter.folder || photo.folder === filter.folder);
  const others = photos.filter((other) => other.id !== id);
  change(isWanted ? [...others, photo].sort((one, other) => other.id - one.id) : others);
}

/** The photo so many places after that of an id, if there is one. */
export function neighbour(id, by) {
  const index = photos.findIndex((photo) => photo.id === id);
  if (index > photos.length - 20) more();
  return index < 0 ? undefined : photos[index + by];
}

/** Goes to a photo's tile and puts the focus on it. */
export function focus(id) {
  const index = photos.findIndex((photo) => photo.id === id);
  if (index < 0) return;
  const { columns, row } = layout();
  const top = room.getBoundingClientRect().top + Math.floor(index / columns) * row;
  if (top < 0 || top + row > innerHeight) scrollBy(0, top - innerHeight / 3);
  render();
  tiles.get(id).querySelector("button").focus({ preventScroll: true });
}

async function more() {
  if (isLoading || next === null) return;
  isLoading = true;
  const mine = round;
  try {
    const page = await api.photos({ ...filter, after: next, count: PAGE });
    if (mine !== round) return;
    const last = photos.at(-1)?.id ?? Infinity;
    next = page.next;
    change([...photos, ...page.photos.filter((photo) => photo.id < last)]);
  } catch {
    // The page says already that the server does not answer; the next scroll or look asks again.
  } finally {
    if (mine === round) isLoading = false;
  }
}

/** Takes another list, so that what is looked at stays where it is on the screen, and the focus where it was. */
function change(list) {
  const { columns, row } = layout();
  const top = -room.getBoundingClientRect().top;
  const topRow = Math.max(0, Math.floor(top / row));
  const rowOf = (id) => Math.floor(photos.findIndex((photo) => photo.id === id) / columns);
  if (top < row) anchor = undefined;
  else if (rowOf(anchor) !== topRow) anchor = photos[topRow * columns]?.id;
  const focused = [...tiles].find(([, tile]) => tile.contains(document.activeElement))?.[0];
  const focusedAt = photos.findIndex((photo) => photo.id === focused);
  photos = list;
  empty.hidden = photos.length > 0;
  render();
  if (anchor !== undefined && rowOf(anchor) >= 0) scrollBy(0, (rowOf(anchor) - topRow) * row);
  if (focused !== undefined && !tiles.has(focused)) {
    const heir = photos[Math.min(focusedAt, photos.length - 1)];
    if (heir) focus(heir.id);
  }
}

function layout() {
  const width = room.clientWidth;
  const isNarrow = width <= PHONE_WIDTH_MAX && filter.state === "done";
  const least = TILE_WIDTH_MIN[isNarrow ? "phone" : "wide"];
  const columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  const side = (width - GAP * (columns - 1)) / columns;
  const height = side * 0.8 + CAPTION[filter.state];
  return { columns, side, height, row: height + GAP };
}

function render() {
  const { columns, side, height, row } = layout();
  const high = `${Math.ceil(photos.length / columns) * row}px`;
  if (room.style.height !== high) room.style.height = high;
  const top = -room.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(top / row) - SPARE_ROWS) * columns;
  const last = Math.min(photos.length, (Math.ceil((top + innerHeight) / row) + SPARE_ROWS) * columns);
  const shown = new Map();
  for (let index = first; index < last; index += 1) shown.set(photos[index].id, index);
  for (const [id, tile] of tiles) {
    if (!shown.has(id) && tile.contains(document.activeElement)) {
      const index = photos.findIndex((photo) => photo.id === id);
      if (index >= 0) shown.set(id, index);
    }
    if (!shown.has(id)) {
      tile.remove();
      tiles.delete(id);
    }
  }
  for (const index of shown.values()) {
    const tile = tileOf(photos[index]);
    const [x, y] = [(index % columns) * (side + GAP), Math.floor(index / columns) * row];
    tile.style.transform = `translate(${x}px, ${y}px)`;
    tile.style.width = `${side}px`;
    tile.style.height = `${height}px`;
    tile.setAttribute("aria-posinset", index + 1);
    tile.setAttribute("aria-setsize", next === null ? photos.length : -1);
  }
  if (last > photos.length - 4 * columns) more();
}

/** The photo's tile, made anew if there is none of this attempt, where the tab key finds it in order. */
function tileOf(photo) {
  const old = tiles.get(photo.id);
  const attempt = `${photo.state} ${photo.ended_ms}`;
  if (old?.dataset.attempt === attempt) return old;
  const tile = make(photo, onOpen);
  tile.dataset.attempt = attempt;
  if (old) {
    old.replaceWith(tile);
  } else {
    const older = Math.max(...[...tiles.keys()].filter((id) => id < photo.id));
    room.insertBefore(tile, tiles.get(older) ?? null);
  }
  tiles.set(photo.id, tile);
  return tile;
}
