/** Puts the page together: what the server tells goes to the part that shows it. */
import { act, busy, el, find } from "./dom.js";
import { addLines, KEPT } from "./logs.js";
import { showFindings, showRevisions } from "./release.js";
import { showServices } from "./services.js";

const state = { connected: false, trouble: {}, services: null, findings: [] };

/** One line about everything. */
function summarize() {
  const troubles = Object.values(state.trouble);
  const waiting = (state.services ?? []).filter((service) => service.ready < service.wanted);
  const faults = state.findings.filter((finding) => !finding.warning).length;
  const [tone, text] = !state.connected
    ? ["bad", events.readyState === EventSource.CLOSED ? "It was started anew: open the address that it printed" : "The dashboard does not answer; trying again"]
    : troubles.length > 0
      ? ["bad", troubles[0]]
      : !state.services
        ? ["wait", "Looking …"]
        : faults > 0
          ? ["bad", faults === 1 ? "One thing is wrong" : `${faults} things are wrong`]
          : waiting.length > 0
            ? ["wait", `Waiting for ${waiting.map((service) => service.name).join(", ")}`]
            : ["good", "Everything runs"];
  const line = find("state");
  if (line.textContent === text) return;
  line.textContent = text;
  line.dataset.tone = tone;
  document.title = `${tone === "good" ? "✓" : tone === "wait" ? "…" : "✗"} Todo dashboard`;
}

const told = {
  facts({ cluster, urls }) {
    find("cluster").textContent = `on ${cluster}`;
    find("urls").replaceChildren(...(urls ?? []).map((url) => el("a", { href: url, target: "_blank", rel: "noopener" }, url)));
  },
  services(services) {
    state.services = services;
    showServices(services);
  },
  release({ revisions, findings }) {
    state.findings = findings ?? [];
    showFindings(state.findings);
    showRevisions(revisions);
  },
  trouble(trouble) {
    state.trouble = trouble;
  },
};

const events = new EventSource("api/events");
events.onopen = () => {
  state.connected = true;
  summarize();
};
events.onerror = () => {
  state.connected = false;
  summarize();
};
for (const [name, show] of Object.entries(told)) {
  events.addEventListener(name, ({ data }) => {
    show(JSON.parse(data));
    summarize();
  });
}

/** Lines come by the hundred when the page is opened; they are shown together, and once somebody can see them. */
let pending = [];
events.addEventListener("line", ({ data }) => {
  pending.push(JSON.parse(data));
  if (pending.length > KEPT) pending.shift();
  if (pending.length > 1) return;
  requestAnimationFrame(() => {
    addLines(pending);
    pending = [];
  });
});

find("test").onclick = ({ target }) => busy(target, () => act({ name: "test" }, "All tests passed."));

find("ask").onsubmit = (event) => {
  event.preventDefault();
  const question = find("question").value.trim();
  const [button] = event.target.getElementsByTagName("button");
  busy(button, async () => {
    find("answer").replaceChildren(el("p", {}, "Looking …"));
    const text = await act({ name: "ask", question });
    find("answer").replaceChildren(...(text === null ? [] : [el("p", { className: "question" }, question), el("pre", { tabIndex: 0, "aria-label": "Answer" }, text.trim())]));
  });
};
