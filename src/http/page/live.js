// The server's events -> calls, for as long as the page can be seen; a lost connection is told and made again. Shows nothing.

const AGAIN_MS = 2000;

/**
 * Listens. `heard.folders(list)`, `heard.photo(news)`, `heard.missed()` when something may have been missed, and
 * `heard.connected(isConnected)`.
 */
export function listen(heard) {
  let events = null;
  let again = 0;
  const close = () => {
    clearTimeout(again);
    events?.close();
  };
  const open = () => {
    close();
    events = new EventSource("api/events");
    events.onopen = () => {
      heard.connected(true);
      heard.missed();
    };
    events.addEventListener("folders", (event) => heard.folders(JSON.parse(event.data)));
    events.addEventListener("photo", (event) => heard.photo(JSON.parse(event.data)));
    events.addEventListener("lost", () => heard.missed());
    events.onerror = () => {
      // Browsers try again by themselves after some errors only.
      close();
      again = setTimeout(open, AGAIN_MS);
      heard.connected(false);
    };
  };
  // A browser has six connections to a server for all its tabs; one that nobody sees must not keep any.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  if (!document.hidden) open();
}
