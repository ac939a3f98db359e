import { el, find } from "./dom.js";

/** As many lines as the server keeps. */
export const KEPT = 2000;
const LEVELS = { TRACE: 1, DEBUG: 1, INFO: 2, LOG: 2, NOTICE: 2, WARNING: 3, WARN: 3, ERROR: 4, FATAL: 5, CRITICAL: 5, PANIC: 5 };
/** A line of PostgreSQL's: time, process, level, message. */
const POSTGRES = /^(\d{4}-\d\d-\d\d) ([\d:.]+) UTC \[(\d+)\] (?:([A-Z]+): +)?(.*)$/;

const list = find("lines");
const filter = { words: "", level: 0, off: new Set() };
const known = new Set();
let shown = 0;

/** Reads a line: JSON as the application's containers write it, or any other text. */
export function read({ service, pod, text }) {
  try {
    const { timestamp, level = "", message, ...rest } = JSON.parse(text);
    if (typeof message === "string") return { service, pod, time: timestamp, level: level.toUpperCase(), message, rest, text };
  } catch {
    // no JSON
  }
  const [, day, time, process, level = "", message] = POSTGRES.exec(text) ?? [];
  if (day) return { service, pod, time: `${day}T${time}Z`, level, message, rest: { process }, text };
  return { service, pod, level: "", message: text, rest: {}, text };
}

const matches = (line) =>
  (LEVELS[line.level] ?? 2) >= filter.level &&
  !filter.off.has(line.service) &&
  filter.words.split(" ").every((word) => `${line.pod ?? ""} ${line.text}`.toLowerCase().includes(word));

/** Adds lines, the newest last. */
export function addLines(lines) {
  const nodes = lines.map((raw) => {
    const line = read(raw);
    if (!known.has(line.service)) addSource(line.service);
    const node = render(line);
    node.line = line;
    node.hidden = !matches(line);
    if (!node.hidden) shown++;
    return node;
  });
  list.append(...nodes);
  while (list.childElementCount > KEPT) {
    if (!list.firstElementChild.hidden) shown--;
    list.firstElementChild.remove();
  }
  settle();
}

function render(line) {
  const level = LEVELS[line.level] ?? 2;
  const time = line.time ? new Date(line.time).toLocaleTimeString([], { hour12: false }) : "";
  const rest = Object.entries(line.rest).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return el(
    "li",
    { data: { service: line.service, tone: level >= 4 ? "bad" : level === 3 ? "wait" : "off" }, title: line.pod ?? "" },
    el("span", { className: "when" }, time),
    el("span", { className: "source" }, line.service),
    el("span", { className: "said" }, line.level && level !== 2 ? el("b", {}, `${line.level} `) : null, line.message, rest.length > 0 ? el("small", {}, ` ${rest.join("  ")}`) : null),
  );
}

/** A box for each service that says anything. */
function addSource(service) {
  known.add(service);
  const box = el("input", { type: "checkbox", checked: true });
  box.onchange = () => {
    filter.off[box.checked ? "delete" : "add"](service);
    again();
  };
  find("sources").append(el("label", { className: "check", data: { service } }, box, service));
}

function again() {
  shown = 0;
  for (const node of list.children) {
    node.hidden = !matches(node.line);
    if (!node.hidden) shown++;
  }
  settle();
  find("found").textContent = find("count").textContent;
}

function settle() {
  const all = list.childElementCount;
  find("count").textContent = all === 0 ? "Nothing was logged yet." : shown === all ? `${all} lines` : `${shown} of ${all} lines`;
  if (find("follow").checked) list.scrollTop = list.scrollHeight;
}

find("search").oninput = ({ target }) => {
  filter.words = target.value.trim().toLowerCase();
  again();
};
find("level").onchange = ({ target }) => {
  filter.level = Number(target.value);
  again();
};
find("follow").onchange = settle;
/** Whoever scrolls up wants to read; at the end again, to follow. A window of another size is neither. */
let top = 0;
list.addEventListener("scroll", () => {
  const end = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  if (end || list.scrollTop < top) find("follow").checked = end;
  top = list.scrollTop;
});
new ResizeObserver(settle).observe(list);
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, select, textarea, dialog")) return;
  event.preventDefault();
  find("search").focus();
});
