// What the server says of its folders -> a card each. Asks for nothing.

const list = document.querySelector("#folders");
const cards = new Map();
const NUMBERS = [["queued", "waiting"], ["running", "in work"], ["rate", "a minute"], ["done", "done"], ["aside", "set aside"]];

/** Shows the folders as `/api/status` tells of them. */
export function show(folders) {
  document.querySelector("#no-folders").hidden = folders.length > 0;
  const names = new Set(folders.map((folder) => folder.name));
  for (const [name, card] of cards) {
    if (!names.has(name)) {
      card.remove();
      cards.delete(name);
    }
  }
  for (const folder of folders) update(folder);
}

/** Shows what events tell of folders that are shown already; tells whether one is new. */
export function updateLive(folders) {
  for (const folder of folders) if (cards.has(folder.name)) update(folder);
  return folders.some((folder) => !cards.has(folder.name)) || folders.length !== cards.size;
}

function update(folder) {
  let card = cards.get(folder.name);
  if (!card) {
    card = make(folder.name);
    cards.set(folder.name, card);
    list.append(card);
  }
  const set = (what, value) => {
    if (value !== undefined) card.querySelector(`[data-is="${what}"]`).textContent = value;
  };
  const state = card.querySelector(".state");
  state.textContent = folder.reason ? `${folder.state}: ${folder.reason}` : folder.state;
  state.className = `state ${folder.state}`;
  set("queued", folder.queued);
  set("running", folder.running);
  set("done", folder.done);
  set("aside", folder.quarantined);
  set("rate", folder.photos_per_minute);
  const pace = card.querySelector(".pace");
  pace.textContent = paceWords(folder);
  pace.hidden = pace.textContent === "";
  const held = folder.waiting.map(waitingWords);
  if (folder.held > held.length) held.push(`${folder.held - held.length} more`);
  showList(card.querySelector(".held"), held, count(folder.held, "photo is", "photos are", "held up"));
  const left = notTakenWords(folder.not_taken);
  const files = Object.values(folder.not_taken.endings).reduce((sum, one) => sum + one, folder.not_taken.others);
  showList(card.querySelector(".not-taken"), left, files > 0 ? count(files, "file is", "files are", "not taken") : "Files that wait or are not taken");
}

const count = (number, one, many, rest) => `${number} ${number === 1 ? one : many} ${rest}`;

/** How old what waits is, how fast it goes and how long it takes. */
function paceWords(folder) {
  const words = [];
  if (folder.queued_on_disk > 0) words.push(`${folder.queued_on_disk} of those that wait stay on disk until their turn, oldest first`);
  if (folder.oldest_ms !== null) words.push(`the oldest arrived ${time(folder.oldest_ms)}`);
  if (folder.photos_per_minute_over_60 > 0) {
    words.push(`${folder.photos_per_minute_over_10} a minute over 10 minutes, ${folder.photos_per_minute_over_60} over an hour`);
  }
  if (folder.left_s !== null) words.push(`about ${duration(folder.left_s)} left`);
  return words.join("; ");
}

function waitingWords({ path, reason, next, until_ms: until }) {
  const known = until !== null;
  const nexts = {
    cause: known && `tried again at ${time(until)}`,
    attempt: known && `tried again at ${time(until)}`,
    rest: known && `set aside at ${time(until)} if it does not come`,
    doubt: known && `taken as it is at ${time(until)} if it does not change`,
    writer: "taken once it is closed",
    listing: "tried with each listing",
  };
  return nexts[next] ? `${path}: ${reason}; ${nexts[next]}` : `${path}: ${reason}`;
}

function notTakenWords({ endings, others, conflicts, links, empty, hidden }) {
  const sorted = Object.entries(endings).sort(([, one], [, other]) => other - one);
  const words = sorted.map(([ending, files]) => `${ending === "" ? "without an ending" : `*.${ending}`}: ${files}`);
  if (others > 0) words.push(`others: ${others}`);
  if (words.length > 0) words.push("What include in hotcut.toml names is taken. HEIC and raw photos must be exported as JPEG or TIFF first.");
  if (conflicts > 0) words.push(count(conflicts, "file is a copy", "files are copies", "that a sync program made because of a conflict; rename it to have it cut out"));
  if (links > 0) words.push(count(links, "file is a link", "files are links", "and not followed"));
  if (empty > 0) words.push(count(empty, "file is", "files are", "empty; content is waited for"));
  if (hidden > 0) words.push(count(hidden, "photo was", "photos were", "hidden to be moved more than an hour ago (.hotcut-*.source); restart hotcut, and if it is still there, rename it to have it cut out"));
  return words;
}

function showList(details, lines, title) {
  details.hidden = lines.length === 0;
  details.querySelector("summary").textContent = title;
  const rows = lines.map((line) => {
    const row = document.createElement("li");
    row.textContent = line;
    return row;
  });
  details.querySelector("ul").replaceChildren(...rows);
}

/** The time of day, and the day unless it is today. */
function time(ms) {
  const date = new Date(ms);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? date.toLocaleTimeString() : date.toLocaleString();
}

function duration(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 360) / 10} h`;
}

function make(name) {
  const card = document.createElement("li");
  card.className = "folder";
  const title = document.createElement("h3");
  title.textContent = name;
  const state = document.createElement("p");
  state.className = "state";
  const numbers = document.createElement("dl");
  numbers.className = "numbers";
  for (const [what, word] of NUMBERS) {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    term.textContent = word;
    const value = document.createElement("dd");
    value.dataset.is = what;
    value.textContent = "0";
    pair.append(term, value);
    numbers.append(pair);
  }
  const pace = document.createElement("p");
  pace.className = "pace";
  card.append(title, state, numbers, pace, makeList("held"), makeList("not-taken"));
  return card;
}

function makeList(kind) {
  const details = document.createElement("details");
  details.className = kind;
  details.hidden = true;
  details.append(document.createElement("summary"), document.createElement("ul"));
  return details;
}
