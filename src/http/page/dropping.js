// Files that are dragged onto the page, or chosen with a button -> a list. Sends nothing.

const element = (name) => document.querySelector(`#${name}`);

/** Begins; `take(files)` is called with what was dropped or chosen, but nothing is taken while `isAway()`. */
export function start(take, isAway) {
  const [files, hint] = [element("files"), element("drop-hint")];
  element("pick").onclick = () => files.click();
  files.onchange = () => {
    take(files.files);
    files.value = "";
  };
  // Elements within the page are entered and left too.
  let depth = 0;
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const count = (by) => (event) => {
    if (!holdsFiles(event)) return;
    depth = Math.max(0, depth + by);
    hint.hidden = depth === 0 || isAway();
  };
  addEventListener("dragenter", count(1));
  addEventListener("dragleave", count(-1));
  // Without this the browser leaves the page to show the file.
  addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    hint.hidden = true;
    if (!isAway()) take(event.dataTransfer.files);
  });
}
