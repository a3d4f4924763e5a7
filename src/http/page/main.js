// The page's parts -> one page: what is heard goes to folders and gallery, what is dropped to the uploads, what is chosen to
// the viewer. The only module that names all the others.

import * as api from "./api.js";
import * as dropping from "./dropping.js";
import * as folders from "./folders.js";
import * as gallery from "./gallery.js";
import { listen } from "./live.js";
import * as login from "./login.js";
import * as uploads from "./uploads.js";
import * as viewer from "./viewer.js";

/** The least time between two looks at the server. */
const LOOK_MS = 700;
/** Counts change with time alone: photos a minute. */
const COUNTS_MS = 15000;

const element = (name) => document.querySelector(`#${name}`);
/** The id of the photo that the viewer shows, if it is one of the gallery. */
let open = null;
let version = null;
let isConnected = true;
let isLooking = false;
let lookAgain = false;
/** What events have told of the folders since the server was asked for its status last. */
let heardSince = null;

/** Looks at everything again, one look after the other and not too often. */
async function look() {
  lookAgain = isLooking;
  if (isLooking) return;
  isLooking = true;
  do {
    lookAgain = false;
    await attempt(async () => {
      await showStatus();
      const fresh = await gallery.refresh();
      if (fresh > 0) tell(`${fresh} new ${fresh === 1 ? "photo" : "photos"} in the list`);
    });
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  } while (lookAgain);
  isLooking = false;
}

/** Asks the server for something, and says so if it has no answer. */
async function attempt(ask) {
  try {
    await ask();
    complain("");
  } catch (problem) {
    if (problem.status === 401) login.ask();
    else complain(problem.message);
  }
}

function complain(words) {
  element("connection").textContent = isConnected ? words : "Connection lost. Trying again…";
}

/** Says something to those who do not see the page. */
function tell(words) {
  element("news").textContent = words;
}

async function showStatus() {
  heardSince = null;
  const status = await api.status();
  // A server of another version has another page.
  if (version !== null && version !== status.version) location.reload();
  version = status.version;
  folders.show(status.folders);
  if (heardSince) folders.updateLive(heardSince);
  uploads.limit(status.max_upload_bytes);
  const names = status.folders.map((folder) => folder.name);
  offer(element("target"), names, "into ");
  offer(element("by-folder"), names, "");
}

/** Offers the folders in a list after its first choice. */
function offer(select, names, before) {
  const wanted = [select.options[0].value, ...names];
  if (wanted.join("\n") === [...select.options].map((option) => option.value).join("\n")) return;
  const chosen = select.value;
  select.replaceChildren(select.options[0], ...names.map((name) => new Option(before + name, name)));
  select.value = names.includes(chosen) ? chosen : "";
  if (select.value !== chosen) select.dispatchEvent(new Event("change"));
}

function show(photo) {
  open = photo.id;
  const { before, after, full } = api.pictures(photo.id);
  const name = photo.source.split("/").pop().replace(/\.[^.]*$/, "");
  viewer.show({ name: `${name}.png`, before, after, full }, (by) => {
    const other = gallery.neighbour(photo.id, by);
    return other && (() => show(other));
  });
}

const choose = () => attempt(() => gallery.choose(element("by-folder").value, element("by-state").value));
element("by-folder").onchange = element("by-state").onchange = choose;

viewer.start(() => {
  if (open !== null) gallery.focus(open);
  open = null;
});
uploads.start((picture) => viewer.show(picture), tell);
gallery.start(show);
dropping.start((files) => uploads.add([...files], element("target").value), viewer.isOpen);
login.start();

await attempt(showStatus);
// Whoever gives the token loads the page again.
if (!login.isAsking()) {
  await choose();
  setInterval(look, COUNTS_MS);
  listen({
    folders: (list) => {
      heardSince = list;
      if (folders.updateLive(list)) look();
    },
    photo: ({ id }) => {
      gallery.heard(id).catch(look);
      look();
    },
    missed: look,
    connected: (is) => {
      isConnected = is;
      complain("");
      if (!is) look();
    },
  });
}
