/** What all parts of the page need of the document. */

export const find = (id) => document.getElementById(id);

/** An element with properties, attributes (those with a dash, and `role`) and children. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "data") Object.assign(node.dataset, value);
    else if (name.includes("-") || name === "role") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A moment as the time that has passed since, kept true by `tick`. */
export const ago = (moment) => el("time", { dateTime: moment, title: new Date(moment).toLocaleString() }, since(moment));

function since(moment) {
  const seconds = Math.max(0, (Date.now() - new Date(moment)) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

setInterval(() => {
  for (const time of document.querySelectorAll("time[title]")) time.textContent = since(time.dateTime);
}, 10_000);

/** A short message at the foot of the page. One that tells of a failure stays until it is closed. */
export function say(text, remedy) {
  const message = el("p", { className: remedy === undefined ? "" : "bad" }, text, remedy ? el("small", {}, `→ ${remedy}`) : null);
  const gone = () => message.remove();
  message.append(el("button", { type: "button", "aria-label": "Dismiss", onclick: gone }, "×"));
  find("messages").append(message);
  if (remedy === undefined) setTimeout(gone, 6000);
}

let before = Promise.resolve();

/**
 * Asks in a dialog, and tells whether the answer was yes. Without a label for yes there is only something to read. A
 * question waits until the one before has been answered.
 */
export function ask(title, body, yes) {
  before = before.then(() => show(title, body, yes));
  return before;
}

function show(title, body, yes) {
  const close = el("button", { type: "button" }, yes ? "Cancel" : "Close");
  const buttons = el("div", { className: "buttons" }, close, yes ? el("button", { value: "yes", className: "main" }, yes) : null);
  const form = el("form", { method: "dialog" }, el("h2", { id: "dialog-title" }, title), body, buttons);
  const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, form);
  close.onclick = () => dialog.close();
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    };
  });
}

/** What the server answers: a text, or an error with a remedy, or both. */
export async function load(url, options) {
  try {
    const response = await fetch(url, options);
    return response.ok ? await response.json() : { error: await response.text(), remedy: "" };
  } catch {
    return { error: "The dashboard does not answer.", remedy: "see whether it still runs in its terminal" };
  }
}

/** Asks the server to do something, and says what came of it. Gives the text of the answer, or null where it failed. */
export async function act(action, done) {
  const { text, error, remedy } = await load("api/do", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(action),
  });
  if (error !== undefined) {
    say(error, remedy);
    return text || null;
  }
  if (done) say(done);
  return text;
}

/** Runs work with a button that cannot be pressed meanwhile. */
export async function busy(button, work) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}
