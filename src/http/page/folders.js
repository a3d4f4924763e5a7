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
  state.textContent = folder.state;
  state.className = `state ${folder.state.split(":")[0]}`;
  set("queued", folder.queued);
  set("running", folder.running);
  set("done", folder.done);
  set("aside", folder.quarantined);
  set("rate", folder.photos_per_minute);
  showWaiting(card.querySelector("details"), folder.waiting);
}

function showWaiting(details, waiting) {
  details.hidden = waiting.length === 0;
  details.querySelector("summary").textContent = waiting.length === 1 ? "1 photo is held up" : `${waiting.length} photos are held up`;
  const rows = waiting.map(({ path, reason }) => {
    const row = document.createElement("li");
    row.textContent = `${path}: ${reason}`;
    return row;
  });
  details.querySelector("ul").replaceChildren(...rows);
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
  const details = document.createElement("details");
  details.hidden = true;
  details.append(document.createElement("summary"), document.createElement("ul"));
  card.append(title, state, numbers, details);
  return card;
}
