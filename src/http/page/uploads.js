// Photos that were dropped or chosen -> sent, two at a time, each with a row that tells how far it is. Knows no gallery.

import * as api from "./api.js";

const AT_A_TIME = 2;
const list = document.querySelector("#sent");
const section = document.querySelector("#sent-section");
const waiting = [];
let running = 0;
/** Unknown until the server has told it; photos wait for that. */
let bytesMax = null;
let onShow = () => {};
let onTell = () => {};

/** Begins; `show({name, before, after, full})` is called for a cutout that is to be looked at, `tell(words)` when one is over. */
export function start(show, tell) {
  onShow = show;
  onTell = tell;
  document.querySelector("#forget").onclick = forget;
}

/** The server takes no more bytes than these; many a browser would not hear it say so while it sends. */
export function limit(bytes) {
  bytesMax = bytes;
  go();
}

/** Sends photos to be cut at once, or into the hot folder of that name. */
export function add(files, folder) {
  for (const file of files) {
    const row = new Row(file, folder);
    list.prepend(row.element);
    row.enter();
  }
  section.hidden = list.children.length === 0;
}

function go() {
  while (bytesMax !== null && running < AT_A_TIME && waiting.length > 0) {
    running += 1;
    const row = waiting.shift();
    row.send().finally(() => {
      running -= 1;
      go();
    });
  }
}

function forget() {
  for (const element of [...list.querySelectorAll('li[data-state="done"], li[data-state="failed"]')]) {
    element.row.release();
    element.remove();
  }
  section.hidden = list.children.length === 0;
}

class Row {
  constructor(file, folder) {
    this.file = file;
    this.folder = folder;
    this.urls = [];
    this.element = document.createElement("li");
    this.element.row = this;
    const part = (kind, name) => {
      const element = document.createElement(kind);
      element.className = name;
      this.element.append(element);
      return element;
    };
    part("span", "name").textContent = file.name;
    this.what = part("span", "what");
    this.actions = part("span", "actions");
    this.progress = part("progress", "");
    this.progress.setAttribute("aria-label", `Progress of ${file.name}`);
    this.progress.max = 1;
  }

  /** Takes a place in the queue, the first one if it had its turn before. */
  enter(isAgain = false) {
    this.actions.replaceChildren();
    this.tell("waiting", "Waiting");
    if (isAgain) waiting.unshift(this);
    else waiting.push(this);
    go();
  }

  tell(state, words, isError = false) {
    this.element.dataset.state = state;
    this.what.textContent = words;
    this.what.classList.toggle("error", isError);
    this.progress.hidden = state !== "sending";
  }

  async send() {
    if (this.file.size > bytesMax) return this.fail(`This photo is larger than the ${mebibytes(bytesMax)} that are taken here.`);
    this.tell("sending", "Sending");
    this.progress.value = 0;
    const path = this.folder ? `api/folders/${encodeURIComponent(this.folder)}/photos` : "remove-background";
    try {
      const answer = await api.send(path, this.file, (share) => {
        this.progress.value = share;
        if (share === 1) {
          // The rest is the server's work, and it does not tell how long that takes.
          this.progress.removeAttribute("value");
          this.what.textContent = this.folder ? "Storing" : "Cutting out";
        }
      });
      await (this.folder ? this.stored(answer) : this.cut(answer));
    } catch (problem) {
      this.refused(problem);
    }
  }

  async stored(answer) {
    const { folder, source } = JSON.parse(await answer.text());
    this.succeed(`In ${folder} as ${source}`);
  }

  cut(answer) {
    const [before, after] = [this.url(this.file), this.url(answer)];
    const name = `${this.file.name.replace(/\.[^.]*$/, "") || "cutout"}.png`;
    const show = button("Show", () => onShow({ name, before, after, full: after }));
    const save = document.createElement("a");
    save.className = "button primary";
    save.href = after;
    save.download = name;
    save.textContent = "Save PNG";
    this.actions.replaceChildren(show, save);
    this.succeed("Done");
  }

  succeed(words) {
    this.tell("done", words);
    onTell(`${this.file.name}: ${words}`);
  }

  /** What is only too early is tried again by itself; others have their turn meanwhile. */
  refused(problem) {
    const isBusy = problem.status === 429 || problem.status === 503;
    if (!isBusy || !problem.retryAfterS) return this.fail(problem.message);
    this.tell("waiting", problem.message);
    setTimeout(() => this.enter(true), problem.retryAfterS * 1000);
  }

  fail(words) {
    this.tell("failed", words, true);
    this.actions.replaceChildren(button("Try again", () => this.enter()));
    onTell(`${this.file.name}: ${words}`);
  }

  url(blob) {
    const url = URL.createObjectURL(blob);
    this.urls.push(url);
    return url;
  }

  release() {
    this.urls.forEach((url) => URL.revokeObjectURL(url));
  }
}

function mebibytes(bytes) {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}

function button(words, click) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = words;
  element.onclick = click;
  return element;
}
