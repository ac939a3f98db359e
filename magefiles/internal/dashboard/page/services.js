import { act, ago, ask, busy, el, find } from "./dom.js";

const MIB = 2 ** 20;

/** Cards stay the same elements while what they show changes, so that a button keeps the focus. */
const cards = new Map();

/** Shows how the services are. */
export function showServices(services) {
  for (const service of services) {
    if (!cards.has(service.name)) {
      cards.set(service.name, card(service.name, service.scalable));
      find("services").append(cards.get(service.name).node);
    }
    cards.get(service.name).show(service);
  }
}

function card(name, scalable) {
  let shown;
  const pods = el("p", { className: "pods" });
  const facts = el("dl");
  const list = el("ul", { className: "pod-list" });
  const restart = el("button", { type: "button", "aria-label": `Restart ${name}` }, "Restart");
  const scale = el("button", { type: "button", "aria-label": `Scale ${name}` }, "Scale");
  restart.onclick = () => busy(restart, () => act({ name: "restart", service: name }, `${name} runs on new pods.`));
  scale.onclick = () => busy(scale, () => changeScale(shown));
  const node = el(
    "article",
    { "aria-label": name },
    el("h3", {}, name),
    pods,
    facts,
    el("details", {}, el("summary", {}, "Pods"), list),
    scalable ? el("div", { className: "buttons" }, restart, scale) : null,
  );
  const show = (service) => {
    shown = service;
    const well = service.ready >= service.wanted && service.pods.length > 0;
    node.dataset.tone = well ? "good" : service.wanted === 0 ? "off" : service.ready > 0 ? "wait" : "bad";
    pods.textContent = service.wanted === 0 ? "Out of service" : `${service.ready} of ${service.wanted} ready`;
    facts.replaceChildren(
      ...row("Version", el("code", {}, service.version || "–")),
      ...row("Changed", service.pods.length > 0 ? ago(service.changed) : "–"),
      ...row("Restarts", String(service.restarts)),
      ...row("CPU", meter("CPU", service.cpu, (cpu) => `${cpu}m`)),
      ...row("Memory", meter("Memory", service.memory, (memory) => `${Math.round(memory / MIB)} MiB`)),
    );
    list.replaceChildren(
      ...service.pods.map((pod) => el("li", { data: { tone: pod.ready ? "good" : "wait" } }, el("code", {}, pod.name), ` ${pod.phase}, `, ago(pod.since))),
    );
  };
  return { node, show };
}

const row = (name, value) => [el("dt", {}, name), el("dd", {}, value)];

/** What is used of what may be. Kubernetes measures once in 15 s, a new pod after a while. */
function meter(name, { used, limit }, text) {
  if (used === 0) return "–";
  if (limit === 0) return text(used);
  const bar = el("meter", { min: 0, max: limit, value: used, high: 0.8 * limit, optimum: 0, "aria-label": `${name} of its limit` });
  return el("span", { className: "meter", title: `of ${text(limit)}` }, text(used), bar);
}

async function changeScale({ name, wanted }) {
  const number = el("input", { type: "number", min: 0, max: 20, value: wanted, required: true, id: "pods" });
  const body = el("p", {}, el("label", { htmlFor: "pods" }, "Pods, until the next deploy "), number);
  if (!(await ask(`Scale ${name}`, body, "Scale"))) return;
  const pods = number.valueAsNumber;
  const out = el("p", {}, "Nothing answers in its place until it is scaled again, or deployed.");
  if (pods === 0 && !(await ask(`Take ${name} out of service?`, out, "Take out of service"))) return;
  await act({ name: "scale", service: name, number: pods }, `${name} runs on ${pods} pods.`);
}
