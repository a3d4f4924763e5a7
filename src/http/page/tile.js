// A photo of the ledger -> its tile: a cutout to open, or a photo that was set aside with its reason. Knows no other tile.

import * as api from "./api.js";

/** Makes a tile; `open(photo)` is called for a cutout that was chosen. */
export function make(photo, open) {
  const isAside = photo.state === "quarantined";
  const tile = element("li", `tile ${photo.state}`);
  const frame = element(isAside ? "div" : "button", "frame checker");
  const picture = element("img", "");
  picture.alt = "";
  picture.loading = "lazy";
  picture.decoding = "async";
  picture.onerror = () => picture.replaceWith(words("missing", "No picture"));
  picture.src = api.pictures(photo.id).tile(isAside ? "source" : "cutout");
  frame.append(picture);
  const caption = element("div", "caption");
  caption.append(words("name", photo.source), words("of", photo.folder));
  if (isAside) {
    caption.append(words("reason", photo.reason ?? ""), retryButton(photo));
  } else {
    frame.type = "button";
    frame.setAttribute("aria-label", `Show ${photo.source}`);
    frame.onclick = () => open(photo);
  }
  tile.append(frame, caption);
  return tile;
}

/** It stays until the list tells of another attempt, which makes another tile. */
function retryButton(photo) {
  const button = element("button", "retry");
  button.type = "button";
  button.textContent = "Try again";
  button.setAttribute("aria-label", `Try again: ${photo.source}`);
  button.onclick = async () => {
    // Not `disabled`: the focus would be lost.
    if (button.ariaDisabled) return;
    button.ariaDisabled = "true";
    button.textContent = "Waiting…";
    try {
      await api.retry(photo.id);
    } catch (problem) {
      button.ariaDisabled = null;
      button.textContent = "Try again";
      button.parentElement.querySelector(".reason").textContent = problem.message;
    }
  };
  return button;
}

function words(kind, text) {
  const span = element("span", kind);
  span.textContent = text;
  span.title = text;
  return span;
}

function element(kind, name) {
  const made = document.createElement(kind);
  if (name) made.className = name;
  return made;
}
