import type { Priority } from "@/lib/api/types";
import { dayString } from "@/lib/dates";
import { findDue, type Stretch } from "./due";

/** A part of the text that was understood as something other than the title. */
export type QuickAddSpan = { kind: "due" | "priority" | "tag"; start: number; end: number; text: string };

export type QuickAdd = {
  title: string;
  /** The day, where the whole of it is meant. */
  dueOn: string | null;
  /** The moment, where one is meant. */
  dueAt: string | null;
  priority: Priority | null;
  tags: string[];
  /** In the order of the text. */
  spans: QuickAddSpan[];
};

const PRIORITY =
  /(?:\b(?:with\s+)?(?<word>high|medium|normal|low|top)[ -](?:priority|prio)\b|\b(?:priority|prio)\s*:?\s*(?<after>high|medium|normal|low)\b|(?<!\S)!(?<bang>high|medium|low)\b|(?<!\S)!(?<level>[123])(?!\S)|(?<!\S)(?<marks>!{1,3})(?!\S)|(?<!\S)p(?<number>[123])(?!\S))/i;
// With a letter in it: "#1" is a number.
const TAG = /(?<!\S)#(?<tag>(?=[\p{L}\p{N}_-]*\p{L})[\p{L}\p{N}_-]{1,50})(?![\p{L}\p{N}_-])/gu;
const LEVELS: Priority[] = ["high", "medium", "low"];
const BY_WORD: Record<string, Priority> = {
  high: "high",
  top: "high",
  medium: "medium",
  normal: "medium",
  low: "low",
};

// Blank to every pattern, and yet not what anyone types: where something was taken out.
const CUT = "\u2028";
const CUT_AT_THE_START = /^\s*\u2028[\s,;:\u2028]*/;
const CUT_AT_THE_END = /[\s,;]*\u2028[\s\u2028]*[.,;:!?]*\s*$/;
const AT_A_CUT = /[\s,;]*\u2028[\s,;\u2028]*/g;
/** Part of no pattern: what the user meant literally. */
const LITERAL = "\uE000";

/**
 * Understands one line such as "Pay rent fri 5pm !high #home": what is recognised leaves the title. Texts in `literal`
 * stay part of the title, for a user who meant them as words. A line of nothing but a date is a title.
 */
export function parseQuickAdd(text: string, now: Date, literal: readonly string[] = []): QuickAdd {
  const clean = text.replaceAll(CUT, " ");
  let rest = clean;
  for (const words of literal) rest = rest.replaceAll(words, LITERAL.repeat(words.length));
  const spans: QuickAddSpan[] = [];
  const take = (kind: QuickAddSpan["kind"], [from, end]: Stretch) => {
    let start = from;
    while (/[\s,]/.test(clean[start] ?? "")) start++; // "tomorrow, in the morning"
    spans.push({ kind, start, end, text: clean.slice(start, end) });
    rest = rest.slice(0, start) + CUT.repeat(end - start) + rest.slice(end);
  };

  const tags = new Set<string>();
  for (const match of [...rest.matchAll(TAG)]) {
    tags.add((match.groups?.tag ?? "").toLowerCase());
    take("tag", [match.index, match.index + match[0].length]);
  }
  const level = PRIORITY.exec(rest);
  if (level) take("priority", [level.index, level.index + level[0].length]);
  const due = findDue(rest, now);
  for (const stretch of due?.found ?? []) take("due", stretch);

  const title = tidy(
    [...rest.split("")].map((char, i) => (char === LITERAL ? (clean[i] ?? "") : char)).join(""),
  );
  if (!title) {
    return { title: words(text), dueOn: null, dueAt: null, priority: null, tags: [], spans: [] };
  }
  return {
    title,
    dueOn: due && !due.at ? dayString(due.day) : null,
    dueAt: due?.at?.toISOString() ?? null,
    priority: level ? priorityOf(level) : null,
    tags: [...tags],
    spans: spans.sort((a, b) => a.start - b.start),
  };
}

const words = (text: string) => text.trim().split(/\s+/).join(" ");

function tidy(rest: string): string {
  const inner = rest.replace(CUT_AT_THE_START, "").replace(CUT_AT_THE_END, "");
  // A comma stays where it stands between words.
  return words(inner.replace(AT_A_CUT, (cut, at) => (cut.includes(",") && at ? ", " : " ")));
}

function priorityOf({ groups = {} }: RegExpExecArray): Priority | null {
  const { number, level, marks, word, after, bang } = groups;
  if (number ?? level) return LEVELS[Number(number ?? level) - 1] ?? null;
  if (marks) return LEVELS[3 - marks.length] ?? null;
  return BY_WORD[(word ?? after ?? bang ?? "").toLowerCase()] ?? null;
}
