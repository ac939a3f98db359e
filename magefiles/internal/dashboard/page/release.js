import { act, ago, ask, busy, el, find, say } from "./dom.js";

/** Shows what is wrong with the application. */
export function showFindings(findings) {
  find("findings").hidden = findings.length === 0;
  find("findings").querySelector("ol").replaceChildren(
    ...findings.map((finding) =>
      el(
        "li",
        { data: { tone: finding.warning ? "wait" : "bad" } },
        el("details", { open: findings.length === 1 },
          el("summary", {}, finding.cause, el("small", {}, ` ${finding.confidence}`)),
          el("ul", {}, ...(finding.evidence ?? []).map((one) => el("li", {}, el("code", {}, one.object), ` ${one.event ?? one.line ?? one.field ?? ""}`))),
        ),
        el("p", {}, "→ ", el("code", {}, finding.remedy)),
      ),
    ),
  );
}

/** Shows the versions of the release, the newest first. */
export function showRevisions(revisions) {
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
  const response = await fetch(`api/diff?revision=${number}`);
  const { text, error, remedy } = response.ok ? await response.json() : { error: await response.text(), remedy: "" };
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
