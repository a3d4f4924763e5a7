// The page's parts -> one page: what is heard goes to folders and gallery, what is dropped to the uploads, what is chosen to
// the viewer. The only module that names all the others.

import * as api from "./api.js";
import * as folders from "./folders.js";
import * as gallery from "./gallery.js";
import { listen } from "./live.js";
import * as uploads from "./uploads.js";
import * as viewer from "./viewer.js";

/** The least time between two looks at the server. */
const LOOK_MS = 700;
/** Counts change with time alone: photos a minute. */
const COUNTS_MS = 15000;

const element = (name) => document.querySelector(`#${name}`);
/** The photo in the viewer. */
let open = null;
let lookAt = 0;
let looking = null;

/** Looks at everything again, soon and not too often. */
function look() {
  if (looking) return;
  const wait = Math.max(0, lookAt - performance.now());
  looking = setTimeout(async () => {
    looking = null;
    lookAt = performance.now() + LOOK_MS;
    try {
      await showStatus();
      const fresh = await gallery.refresh();
      if (fresh > 0) element("news").textContent = `${fresh} more ${fresh === 1 ? "result" : "results"}`;
    } catch (problem) {
      if (problem.status === 401) askForToken();
    }
  }, wait);
}

async function showStatus() {
  const status = await api.status();
  folders.show(status.folders);
  const names = status.folders.map((folder) => folder.name);
  offer(element("target"), names);
  offer(element("by-folder"), names);
}

/** Offers the folders in a list after its first choice. */
function offer(select, names) {
  const wanted = [select.options[0].value, ...names];
  if (wanted.join("\n") === [...select.options].map((option) => option.value).join("\n")) return;
  const chosen = select.value;
  const into = select.id === "target" ? (name) => `into ${name}` : (name) => name;
  select.replaceChildren(select.options[0], ...names.map((name) => new Option(into(name), name)));
  select.value = names.includes(chosen) ? chosen : "";
}

function show(photo) {
  if (!photo || photo.state === "quarantined") return;
  open = photo.id;
  const { before, after, full } = api.pictures(photo.id);
  const name = photo.source.split("/").pop().replace(/\.[^.]*$/, "");
  viewer.show({ name: `${name}.png`, before, after, full }, (by) => show(gallery.beside(open, by)));
}

function startSending() {
  const [files, hint] = [element("files"), element("drop-hint")];
  const send = (list) => uploads.add([...list], element("target").value);
  element("pick").onclick = () => files.click();
  files.onchange = () => {
    send(files.files);
    files.value = "";
  };
  let depth = 0;
  const isPhotos = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (isPhotos(event)) hint.hidden = (depth += 1) === 0;
  });
  addEventListener("dragleave", (event) => {
    if (isPhotos(event)) hint.hidden = (depth -= 1) <= 0;
  });
  addEventListener("dragover", (event) => isPhotos(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!isPhotos(event)) return;
    event.preventDefault();
    depth = 0;
    hint.hidden = true;
    send(event.dataTransfer.files);
  });
}

function askForToken() {
  if (!element("login").open) element("login").showModal();
}

element("login-form").onsubmit = async (event) => {
  event.preventDefault();
  try {
    await api.logIn(element("token").value);
    location.reload();
  } catch (problem) {
    element("login-error").textContent = problem.status === 401 ? "That is not the token." : problem.message;
  }
};

const choose = () => gallery.choose(element("by-folder").value, element("by-state").value);
element("by-folder").onchange = element("by-state").onchange = () => choose().catch(look);

viewer.start(() => {
  if (open !== null) gallery.focus(open);
  open = null;
});
uploads.start((picture) => viewer.show(picture));
gallery.start(show);
startSending();
setInterval(look, COUNTS_MS);

try {
  await showStatus();
  await choose();
  listen({
    folders: (list) => folders.updateLive(list) && look(),
    photo: look,
    missed: look,
    connected: (isConnected) => (element("connection").hidden = isConnected),
  });
} catch (problem) {
  if (problem.status === 401) askForToken();
  else setTimeout(() => location.reload(), 5000);
}
