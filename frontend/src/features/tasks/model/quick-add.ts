import type { Priority } from "@/lib/api/types";
import { endOfDay, startOfDay } from "@/lib/dates";

/** A part of the text that was understood as something other than the title. */
export type QuickAddToken = { kind: "due" | "priority" | "tag"; text: string };

export type QuickAdd = {
  title: string;
  dueAt: string | null;
  priority: Priority | null;
  tags: string[];
  tokens: QuickAddToken[];
};

const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH = `(${MONTHS.join("|")})[a-z]*`;
const SHORT_DAY = "sun|mon|tues?|wed|thu(?:rs?)?|fri|sat";

type DayRule = { pattern: RegExp; day: (match: string[], now: Date) => Date | null };

const LEAD = "(?:on|by|due|for|until|before)\\s+";
const COUNTS = ["one", "two", "three", "four", "five", "six", "seven"];

/** `body` as whole words, with a preposition before it that goes with the date. */
const words = (body: string) => new RegExp(`(?<!\\S)(?:${LEAD})?(?:${body})(?![^\\s,.;!?])`, "i");

const DAY_RULES: DayRule[] = [
  {
    pattern: words("(\\d{4})-(\\d{2})-(\\d{2})"),
    day: ([, y, m, d]) => calendarDay(Number(y), Number(m) - 1, Number(d)),
  },
  { pattern: words("today|tonight"), day: (_, now) => startOfDay(now) },
  { pattern: words("(?:the )?day after tomorrow"), day: (_, now) => startOfDay(now, 2) },
  { pattern: words("tomorrow|tmrw?"), day: (_, now) => startOfDay(now, 1) },
  { pattern: words("next week"), day: (_, now) => startOfDay(now, daysToNextMonday(now)) },
  { pattern: words("next month"), day: (_, now) => monthsLater(now, 1) },
  { pattern: words(`in (\\d{1,3}|an?|${COUNTS.join("|")}) (day|week|month)s?`), day: inSome },
  {
    pattern: words(`next (${WEEKDAYS.join("|")}|${SHORT_DAY})`),
    day: ([, name], now) => nextWeeks(name, now),
  },
  { pattern: words(`(?:this )?(${WEEKDAYS.join("|")})`), day: ([, name], now) => weekday(name, now) },
  // A short form may be another word ("sun cream"): it counts at the end, or after a preposition.
  {
    pattern: new RegExp(`(?<!\\S)(?:${LEAD}|this\\s+)(${SHORT_DAY})(?![^\\s,.;!?])`, "i"),
    day: ([, name], now) => weekday(name, now),
  },
  { pattern: new RegExp(`(?<=\\S\\s+)(${SHORT_DAY})\\s*$`, "i"), day: ([, name], now) => weekday(name, now) },
  {
    pattern: words(`(\\d{1,2})(?:st|nd|rd|th)? ${MONTH}(?: (\\d{4}))?`),
    day: ([, d, m, y], now) => monthDay(d, m, y, now),
  },
  {
    pattern: words(`${MONTH} (\\d{1,2})(?:st|nd|rd|th)?(?:,? (\\d{4}))?`),
    day: ([, m, d, y], now) => monthDay(d, m, y, now),
  },
];

const TIME =
  /(?<!\S)(?:(?:at|by)\s+)?(?:(1[0-2]|0?[1-9])(?::([0-5]\d))?\s?(am|pm)|([01]?\d|2[0-3]):([0-5]\d)|noon|midnight)(?![^\s,.;!?])/i;
/** Hours and minutes. */
type Clock = [number, number];
/** What "tonight" means without a time. */
const EVENING: Clock = [20, 0];
const PRIORITY = /(?<!\S)(?:!(high|medium|low|[123])|p([123]))(?!\S)/i;
const TAG = /(?<!\S)#([\p{L}\p{N}][\p{L}\p{N}_-]{0,29})(?!\S)/u;
const PRIORITIES: Record<string, Priority> = { "1": "high", "2": "medium", "3": "low" };

/**
 * Understands one line such as "Pay rent fri 5pm !high #home": what is recognised leaves the title.
 * Texts in `literal` stay part of the title, for a user who meant them as words.
 */
export function parseQuickAdd(text: string, now: Date, literal: readonly string[] = []): QuickAdd {
  let rest = text;
  const tokens: QuickAddToken[] = [];
  const take = (kind: QuickAddToken["kind"], pattern: RegExp): string[] | null => {
    const match = pattern.exec(rest);
    const found = match?.[0].trim();
    if (!match || !found || literal.includes(found)) return null;
    rest = `${rest.slice(0, match.index)} ${rest.slice(match.index + match[0].length)}`.trim();
    tokens.push({ kind, text: found });
    return [...match].map((part) => part ?? "");
  };

  const tags: string[] = [];
  for (let tag = take("tag", TAG); tag; tag = take("tag", TAG)) {
    const name = tag[1]?.toLowerCase() ?? "";
    if (!tags.includes(name)) tags.push(name);
  }
  const level = take("priority", PRIORITY);
  const word = (level?.[1] || level?.[2] || "").toLowerCase();
  const time = take("due", TIME);
  let day: Date | null = null;
  for (const rule of DAY_RULES) {
    const before = { rest, count: tokens.length };
    const match = take("due", rule.pattern);
    if (!match) continue;
    day = rule.day(match, now);
    if (day) break;
    rest = before.rest; // looked like a date but is none, such as 31 Feb
    tokens.length = before.count;
  }

  const tonight = tokens.some(({ kind, text }) => kind === "due" && /tonight$/i.test(text));

  const title = rest.replace(/\s+/g, " ").trim();
  if (!title) return { title: text.trim(), dueAt: null, priority: null, tags: [], tokens: [] };
  return {
    title,
    dueAt: moment(day, time ? clock(time) : tonight && EVENING, now)?.toISOString() ?? null,
    priority: word ? (PRIORITIES[word] ?? (word as Priority)) : null,
    tags,
    tokens,
  };
}

function moment(day: Date | null, time: Clock | false, now: Date): Date | null {
  if (!time) return day && endOfDay(day);
  const at = new Date(day ?? startOfDay(now));
  at.setHours(...time);
  // A time alone means the next time that the clock shows it.
  if (!day && at <= now) at.setDate(at.getDate() + 1);
  return at;
}

/** Hours and minutes of a match of TIME. Midnight is where the day ends. */
function clock([all = "", twelve, twelveMinutes, half, full, fullMinutes]: string[]): Clock {
  if (/noon$/i.test(all)) return [12, 0];
  if (/midnight$/i.test(all)) return [23, 59];
  if (!half) return [Number(full), Number(fullMinutes)];
  return [(Number(twelve) % 12) + (half.toLowerCase() === "pm" ? 12 : 0), Number(twelveMinutes || 0)];
}

function calendarDay(year: number, month: number, day: number): Date | null {
  const date = new Date(year, month, day);
  return date.getMonth() === month && date.getDate() === day ? date : null;
}

function monthDay(day: string | undefined, month: string | undefined, year: string | undefined, now: Date) {
  const index = MONTHS.indexOf((month ?? "").slice(0, 3).toLowerCase());
  if (year) return calendarDay(Number(year), index, Number(day));
  const thisYear = calendarDay(now.getFullYear(), index, Number(day));
  return thisYear && thisYear >= startOfDay(now)
    ? thisYear
    : calendarDay(now.getFullYear() + 1, index, Number(day));
}

const daysToNextMonday = (now: Date) => (8 - now.getDay()) % 7 || 7;

function weekdayIndex(name: string | undefined): number {
  const key = (name ?? "").toLowerCase().slice(0, 3);
  return WEEKDAYS.findIndex((day) => day.startsWith(key));
}

/** The next such weekday after today. */
function weekday(name: string | undefined, now: Date): Date {
  return startOfDay(now, ((weekdayIndex(name) - now.getDay() + 6) % 7) + 1);
}

/** That weekday of the week that begins next Monday. */
function nextWeeks(name: string | undefined, now: Date): Date {
  return startOfDay(now, daysToNextMonday(now) + ((weekdayIndex(name) + 6) % 7));
}

function inSome(match: string[], now: Date): Date {
  const [, amount = "", unit = ""] = match.map((part) => part.toLowerCase());
  const count = /^an?$/.test(amount) ? 1 : COUNTS.indexOf(amount) + 1 || Number(amount);
  if (unit === "month") return monthsLater(now, count);
  return startOfDay(now, unit === "week" ? count * 7 : count);
}

/** The same day of a later month, or its last one where that month is shorter. */
function monthsLater(now: Date, months: number): Date {
  const lastDay = new Date(now.getFullYear(), now.getMonth() + months + 1, 0).getDate();
  return new Date(now.getFullYear(), now.getMonth() + months, Math.min(now.getDate(), lastDay));
}
