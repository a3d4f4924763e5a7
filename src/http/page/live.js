// The server's events -> calls, for as long as the page is open; a lost connection is told and made again. Shows nothing.

const AGAIN_MS = 2000;

/**
 * Listens. `heard.folders(list)`, `heard.photo(news)`, `heard.missed()` when something may have been missed, and
 * `heard.connected(isConnected)`.
 */
export function listen(heard) {
  const events = new EventSource("api/events");
  events.onopen = () => {
    heard.connected(true);
    heard.missed();
  };
  events.addEventListener("folders", (event) => heard.folders(JSON.parse(event.data)));
  events.addEventListener("photo", (event) => heard.photo(JSON.parse(event.data)));
  events.addEventListener("lost", () => heard.missed());
  events.onerror = () => {
    heard.connected(false);
    // Browsers try again by themselves after some errors only.
    events.close();
    setTimeout(() => listen(heard), AGAIN_MS);
  };
}
