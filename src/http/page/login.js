// A token that somebody types -> a cookie that lets this browser in. Knows nothing else of the page.

import * as api from "./api.js";

const element = (name) => document.querySelector(`#${name}`);

/** Begins. */
export function start() {
  // There is nothing behind it to go back to.
  element("login").oncancel = (event) => event.preventDefault();
  element("login-form").onsubmit = async (event) => {
    event.preventDefault();
    try {
      await api.logIn(element("token").value);
      location.reload();
    } catch (problem) {
      element("login-error").textContent = problem.status === 401 ? "That is not the token." : problem.message;
    }
  };
}

/** Tells whether the token is asked for. */
export function isAsking() {
  return element("login").open;
}

/** Asks for the token. */
export function ask() {
  if (!element("login").open) element("login").showModal();
}
