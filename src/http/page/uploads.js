// Photos that were dropped or chosen -> sent, two at a time, each with a row that tells how far it is. Knows no gallery.

import * as api from "./api.js";

const AT_A_TIME = 2;
const list = document.querySelector("#sent");
const section = document.querySelector("#sent-section");
const waiting = [];
let running = 0;
let onShow = () => {};

/** Begins; `show({name, before, after})` is called for a cutout that is to be looked at. */
export function start(show) {
  onShow = show;
  document.querySelector("#forget").onclick = forget;
}

/** Sends photos to be cut at once, or into the hot folder of that name. */
export function add(files, folder) {
  for (const file of files) {
    const row = new Row(file, folder);
    list.prepend(row.element);
    enqueue(row);
  }
  section.hidden = list.children.length === 0;
}

function enqueue(row) {
  row.tell("waiting");
  waiting.push(row);
  go();
}

function go() {
  while (running < AT_A_TIME && waiting.length > 0) {
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

  tell(state, words = "", isError = false) {
    this.element.dataset.state = state;
    this.what.textContent = words || { waiting: "Waiting", sending: "Sending" }[state] || "";
    this.what.classList.toggle("error", isError);
    this.progress.hidden = state !== "sending";
  }

  async send() {
    this.actions.replaceChildren();
    this.tell("sending");
    this.progress.value = 0;
    const path = this.folder ? `api/folders/${encodeURIComponent(this.folder)}/photos` : "remove-background";
    try {
      const answer = await api.send(path, this.file, (share) => {
        this.progress.value = share;
        if (share === 1) {
          // The rest is the server's work, of unknown length.
          this.progress.removeAttribute("value");
          this.what.textContent = this.folder ? "Storing" : "Cutting out";
        }
      });
      await (this.folder ? this.stored(answer) : this.cut(answer));
    } catch (problem) {
      await this.failed(problem);
    }
  }

  async stored(answer) {
    const { folder, source } = JSON.parse(await answer.text());
    this.tell("done", `In ${folder} as ${source}`);
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
    this.tell("done", "Done");
  }

  async failed(problem) {
    const isBusy = problem.status === 429 || problem.status === 503;
    if (isBusy && problem.retryAfterS > 0) {
      this.tell("waiting", `${problem.message}`);
      await new Promise((resolve) => setTimeout(resolve, problem.retryAfterS * 1000));
      return this.send();
    }
    this.tell("failed", problem.message, true);
    this.actions.replaceChildren(button("Try again", () => enqueue(this)));
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

function button(words, click) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = words;
  element.onclick = click;
  return element;
}
