// Requests to this server -> values, or a Problem with a sentence for people. Knows no element of the page.

/** A refusal, as the server tells it. */
export class Problem extends Error {
  constructor(status, detail, retryAfterS) {
    super(detail);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

const LOST = "The server does not answer.";

/** What an answer that is no success says. */
export function problemOf(status, text, retryAfter) {
  let detail = `The server answered ${status}.`;
  try {
    detail = JSON.parse(text).detail ?? detail;
  } catch {
    // Something between here and the server has answered.
  }
  return new Problem(status, detail, Number(retryAfter) || 0);
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Problem(0, LOST, 0);
  }
  if (!response.ok) {
    throw problemOf(response.status, await response.text(), response.headers.get("retry-after"));
  }
  return response;
}

/** The folders and what may be sent. */
export async function status() {
  return (await request("api/status")).json();
}

/** A page of photos: `{photos, next}`. */
export async function photos({ folder, state, after, count }) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries({ folder, state, after, count })) {
    if (value) query.set(key, value);
  }
  return (await request(`api/photos?${query}`)).json();
}

/** One photo. */
export async function photo(id) {
  return (await request(`api/photos/${id}`)).json();
}

/** Puts a photo that was set aside back into the queue. */
export async function retry(id) {
  await request(`api/photos/${id}/retry`, { method: "POST" });
}

/** Lets this browser in. */
export async function logIn(token) {
  const headers = { "content-type": "application/json" };
  await request("api/session", { method: "POST", headers, body: JSON.stringify({ token }) });
}

/** Where the pictures of a photo are. */
export function pictures(id) {
  const thumb = (of, side) => `api/photos/${id}/thumb?of=${of}&side=${side}`;
  return {
    tile: (of) => thumb(of, 320),
    before: thumb("source", 1600),
    after: thumb("cutout", 1600),
    full: `api/photos/${id}/cutout`,
  };
}

/**
 * Sends a photo as a form, telling how far it is.
 * Resolves to the answer's Blob; rejects with a Problem.
 */
export function send(path, file, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("file", file, file.name);
    const sending = new XMLHttpRequest();
    sending.open("POST", path);
    sending.responseType = "blob";
    sending.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    sending.onerror = () => reject(new Problem(0, LOST, 0));
    sending.onload = async () => {
      if (sending.status < 300) {
        resolve(sending.response);
      } else {
        const text = await sending.response.text();
        reject(problemOf(sending.status, text, sending.getResponseHeader("retry-after")));
      }
    };
    sending.send(form);
  });
}
