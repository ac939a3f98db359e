import { act, ago, ask, busy, el, find, load, say } from "./dom.js";

/** What is wrong stays the same elements while its evidence changes, so that what was opened stays open. */
const causes = new Map();

/** Shows what is wrong with the application. */
export function showFindings(findings) {
  find("findings").hidden = findings.length === 0;
  const list = find("findings").querySelector("ol");
  for (const [cause, { node }] of causes) {
    if (findings.some((finding) => finding.cause === cause)) continue;
    node.remove();
    causes.delete(cause);
  }
  for (const [i, finding] of findings.entries()) {
    if (!causes.has(finding.cause)) causes.set(finding.cause, wrong(finding.cause, findings.length === 1));
    const { node, show } = causes.get(finding.cause);
    if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null);
    show(finding);
  }
}

function wrong(cause, open) {
  const confidence = el("small");
  const evidence = el("ul");
  const remedy = el("code");
  const node = el("li", {}, el("details", { open }, el("summary", {}, cause, confidence), evidence), el("p", {}, "→ ", remedy));
  const show = (finding) => {
    node.dataset.tone = finding.warning ? "wait" : "bad";
    confidence.textContent = ` ${finding.confidence}`;
    remedy.textContent = finding.remedy;
    evidence.replaceChildren(
      ...(finding.evidence ?? []).map((one) => el("li", {}, el("code", {}, one.object), ` ${one.event ?? one.line ?? one.field ?? ""}`)),
    );
  };
  return { node, show };
}

let known = "";

/** Shows the versions of the release, the newest first. */
export function showRevisions(revisions) {
  if (known === JSON.stringify(revisions)) return;
  known = JSON.stringify(revisions);
  const focused = document.activeElement?.dataset?.revision;
  find("revisions").replaceChildren(...revisions.map((revision, i) => entry(revision, i === 0)));
  if (focused) find("revisions").querySelector(`[data-revision="${focused}"]`)?.focus();
}

function entry(revision, current) {
  const look = el("button", { type: "button", data: { revision: revision.number }, "aria-label": `Compare revision ${revision.number} with the present` }, "Compare");
  look.onclick = () => busy(look, () => compare(revision));
  return el(
    "li",
    { data: { tone: revision.verified ? "good" : revision.status === "failed" ? "bad" : "off" } },
    el("strong", {}, `Revision ${revision.number}`),
    ` ${current ? "in force" : revision.status}, ${revision.verified ? "passed its checks" : "did not pass its checks"}, `,
    ago(revision.updated),
    el("small", {}, revision.description),
    current ? null : look,
  );
}

async function compare({ number, verified }) {
  const { text, error, remedy } = await load(`api/diff?revision=${number}`);
  if (error !== undefined) return say(error, remedy);
  const note = verified ? null : el("p", { className: "warning" }, "This revision never passed its checks.");
  const body = el("div", {}, note, text ? diff(text) : el("p", {}, "It is made of the same objects as the present one."));
  if (!(await ask(`Back to revision ${number}`, body, `Roll back to ${number}`))) return;
  await act({ name: "rollback", number }, `Revision ${number} is in force again.`);
}

const MARKS = { "+": "new", "-": "old", "@": "place" };

function diff(text) {
  const lines = text.trimEnd().split("\n").map((line) => el("span", { className: MARKS[line[0]] ?? "" }, `${line}\n`));
  return el("pre", { className: "diff", tabIndex: 0, "aria-label": "What would change" }, ...lines);
}
