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

/** Asks in a dialog, and tells whether the answer was yes. Without a label for yes there is only something to read. */
export function ask(title, body, yes) {
  const dialog = find("dialog");
  find("dialog-title").textContent = title;
  find("dialog-body").replaceChildren(body);
  const [cancel, main] = dialog.querySelectorAll(".buttons button");
  cancel.textContent = yes ? "Cancel" : "Close";
  main.textContent = yes ?? "";
  main.hidden = !yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Asks the server to do something, and says what came of it. Gives the text of the answer, or null where it failed. */
export async function act(action, done) {
  try {
    const response = await fetch("api/do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(action) });
    const answer = response.ok ? await response.json() : { error: await response.text(), remedy: "" };
    if (answer.error === undefined) {
      if (done) say(done);
      return answer.text;
    }
    say(answer.error, answer.remedy);
    if (answer.text) return answer.text;
  } catch {
    say("The dashboard does not answer.", "see whether it still runs in its terminal");
  }
  return null;
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
