import { calendarDay, startOfDay } from "@/lib/dates";

/**
 * Dates as people type them: "tomorrow", "next friday at 5pm", "in 3 days", "1 dec". The same grammar as that of the
 * API (backend/src/grammar): both run the cases of grammar.json.
 */

const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const NAMED: Record<string, number> = {
  today: 0,
  tonight: 0,
  tomorrow: 1,
  tmrw: 1,
  tmr: 1,
  "day after tomorrow": 2,
};
const NUMBERS = ["a", "an", "one", "two", "three", "four", "five", "six", "seven"];

/** Hours and minutes. */
type Clock = readonly [number, number];
/** Where a day ends: the whole of it is meant. */
const MIDNIGHT: Clock = [23, 59];
const EVENING: Clock = [20, 0];
const PARTS: Record<string, Clock> = {
  morning: [9, 0],
  afternoon: [15, 0],
  evening: EVENING,
  night: EVENING,
};

const LETTER = "\\p{L}\\p{N}_";
const BEGIN = `(?<![${LETTER}\\-/#'’.:])`;
const END = `(?![${LETTER}\\-/'’]|[.:]\\d)`;
const COUNT = `(?<count>\\d{1,3}|${NUMBERS.join("|")})`;
const LEADS = "(?:due|by|on|for|until|before|at)\\s";
const MONTH =
  "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?" +
  "|nov(?:ember)?|dec(?:ember)?";
const WEEKDAY = "mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun";
const TH = "(?:st|nd|rd|th)";
const DAYS = [
  "(?<iso>\\d{4}-\\d{2}-\\d{2})",
  "(?<word>today|tonight|this\\s+(?:morning|afternoon|evening)|(?:the\\s+)?day\\s+after\\s+tomorrow|tomorrow|tmrw?" +
    "|next\\s+week|next\\s+month|(?:this|the)\\s+weekend|end\\s+of\\s+(?:the\\s+)?(?:week|month))",
  `in\\s+${COUNT}\\s+(?<unit>day|week|month)s?`,
  `(?:(?<which>this|next)\\s+)?(?<weekday>${WEEKDAY})(?:day)?`,
  `(?<day1>\\d{1,2})${TH}?\\s+(?:of\\s+)?(?<month1>${MONTH})(?:,?\\s+(?<year1>\\d{4}))?`,
  `(?<month2>${MONTH})\\s+(?<day2>\\d{1,2})${TH}?(?:,?\\s+(?<year2>\\d{4}))?`,
  `(?<ordinal>\\d{1,2})${TH}`,
];
const DAY = new RegExp(
  `${BEGIN}(?:${LEADS}+(?:on\\s+|by\\s+)?(?:the\\s+)?)?(?:${DAYS.join("|")})${END}`,
  "giu",
);
const PART = new RegExp(`[\\s,]+(?:in\\s+the\\s+)?(?<part>morning|afternoon|evening|night)${END}`, "iuy");
// Hours and minutes may be those of a chapter and a verse: they count after one of these, or next to a day.
const TIME = new RegExp(
  `${BEGIN}(?<lead>(?:at|by|from|until)\\s+|@\\s?)?(?:` +
    "(?<hour12>1[0-2]|0?[1-9])(?::(?<minute12>[0-5]\\d))?\\s?(?<half>am|pm)" +
    "|(?<hour24>[01]?\\d|2[0-3]):(?<minute24>[0-5]\\d)" +
    `|(?<name>noon|midnight))${END}`,
  "giu",
);
const SOON = new RegExp(
  `${BEGIN}in\\s+(?:(?<half>half\\s+an\\s+hour)|${COUNT}\\s+(?<unit>minute|min|hour|hr)s?)${END}`,
  "iu",
);
// What happens again and again is due on no one day.
const AGAIN = new RegExp(
  `${BEGIN}(?:every|each)\\s+(?:(?:other|second|\\d+)\\s+)?(?:${WEEKDAY}|day|week|month|year|morning|afternoon` +
    "|evening|night|noon|\\d)",
  "iu",
);
// What is also a word or part of one ("sun cream", "the 1st floor") is a date only at the end or before a time.
const ENDS = /^\s*(?:$|[.,;!?]|at\b|\d)/i;
const WORDS = ["sun", "sat", "wed", "mon"];

/** Where something begins and ends in a text. */
export type Stretch = readonly [number, number];

/** A date in a text: a day, of which `at` is a moment, or of which the whole is meant. */
export type Due = { day: Date; at: Date | null; found: Stretch[] };

const endOf = (match: RegExpExecArray) => match.index + match[0].length;
const span = (match: RegExpExecArray): Stretch => [match.index, endOf(match)];
const groupsOf = (match: RegExpExecArray) => (match.groups ?? {}) as Record<string, string | undefined>;

function at(day: Date, [hours, minutes]: Clock): Date {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate(), hours, minutes);
}

/** The date in `text`, or null. A time alone means its next occurrence. */
export function findDue(text: string, now: Date): Due | null {
  if (AGAIN.test(text)) return null;
  const today = startOfDay(now);
  const soon = SOON.exec(text);
  if (soon) {
    const { half, count = "", unit = "" } = groupsOf(soon);
    const minutes = half ? 30 : numberOf(count) * (unit.toLowerCase().startsWith("h") ? 60 : 1);
    const moment = new Date(Math.floor(now.getTime() / 60_000) * 60_000 + minutes * 60_000);
    return { day: startOfDay(moment), at: moment, found: [span(soon)] };
  }
  for (const match of text.matchAll(DAY)) {
    const day = dayOf(match, text, today);
    if (day) return onDay(text, match, day);
  }
  const time = [...text.matchAll(TIME)].find((match) => !groupsOf(match).hour24 || groupsOf(match).lead);
  if (!time) return null;
  const clock = clockOf(time);
  if (clock === MIDNIGHT) return { day: today, at: null, found: [span(time)] };
  const moment = at(today, clock) > now ? at(today, clock) : at(startOfDay(now, 1), clock);
  return { day: startOfDay(moment), at: moment, found: [span(time)] };
}

function onDay(text: string, match: RegExpExecArray, day: Date): Due {
  const found = [span(match)];
  let clock: Clock | undefined;
  let end = endOf(match);
  const word = (groupsOf(match).word ?? "").toLowerCase();
  PART.lastIndex = end;
  const part = PART.exec(text);
  if (word === "tonight") clock = EVENING;
  else if (word.startsWith("this") && PARTS[word.split(/\s+/)[1] ?? ""])
    clock = PARTS[word.split(/\s+/)[1] ?? ""];
  else if (part) {
    clock = PARTS[(groupsOf(part).part ?? "").toLowerCase()];
    found.push(span(part));
    end = endOf(part);
  }
  for (const time of text.matchAll(TIME)) {
    const { hour24 = "", lead } = groupsOf(time);
    const after = time.index >= end;
    const between = after ? text.slice(end, time.index) : text.slice(endOf(time), match.index);
    // "Genesis 3:16 tomorrow"
    const beside = /^[ ,]*$/.test(between) && (after || hour24.length === 2);
    const apart = endOf(time) <= match.index || after;
    if (apart && (!hour24 || lead || beside)) {
      clock = clockOf(time);
      found.push(span(time));
      break;
    }
  }
  return { day, at: clock && clock !== MIDNIGHT ? at(day, clock) : null, found };
}

function clockOf(match: RegExpExecArray): Clock {
  const { name, half, hour12, minute12, hour24, minute24 } = groupsOf(match);
  if (name) return name.toLowerCase() === "noon" ? [12, 0] : MIDNIGHT;
  const clock: Clock = half
    ? [(Number(hour12) % 12) + (half.toLowerCase() === "pm" ? 12 : 0), Number(minute12 ?? 0)]
    : [Number(hour24), Number(minute24)];
  return clock[0] === MIDNIGHT[0] && clock[1] === MIDNIGHT[1] ? MIDNIGHT : clock;
}

function dayOf(match: RegExpExecArray, text: string, today: Date): Date | null {
  const { iso, word, count, unit = "", weekday, which, ordinal, ...parts } = groupsOf(match);
  const { day1, day2, month1, month2, year1, year2 } = parts;
  const all = match[0].toLowerCase();
  const ends = ENDS.test(text.slice(endOf(match)));
  if (iso) {
    const [year = 0, month = 0, day = 0] = iso.split("-").map(Number);
    return calendarDay(year, month - 1, day);
  }
  if (word) return named(word.toLowerCase().split(/\s+/).join(" "), today);
  if (count) return later(today, numberOf(count), unit.toLowerCase());
  if (ordinal) {
    // The next day of that number: "on the 1st".
    if (!new RegExp(`^${LEADS}`).test(all) || !ends) return null;
    const day = Number(ordinal);
    return calendarDay(today.getFullYear(), today.getMonth() + (day >= today.getDate() ? 0 : 1), day);
  }
  if (weekday) {
    if (weekday.toLowerCase() === all && WORDS.includes(all) && !ends) return null;
    const passed = (today.getDay() + 6) % 7;
    const wanted = WEEKDAYS.findIndex((name) => name.startsWith(weekday.toLowerCase()));
    const days = (wanted - passed + 7) % 7 || 7;
    // "next friday" said on a monday is not the one of this week
    return startOfDay(today, which?.toLowerCase() === "next" && days + passed < 7 ? days + 7 : days);
  }
  if (/^(may|march) /.test(all) && !ends) return null; // "I may 5 times"
  const month = MONTHS.indexOf((month1 ?? month2 ?? "").slice(0, 3).toLowerCase());
  const day = Number(day1 ?? day2);
  const year = year1 ?? year2;
  if (year) return calendarDay(Number(year), month, day);
  const thisYear = calendarDay(today.getFullYear(), month, day);
  return thisYear && thisYear < today ? calendarDay(today.getFullYear() + 1, month, day) : thisYear;
}

const numberOf = (text: string) =>
  /^\d/.test(text) ? Number(text) : Math.max(1, NUMBERS.indexOf(text.toLowerCase()) - 1);

function named(word: string, today: Date): Date {
  const passed = (today.getDay() + 6) % 7;
  if (word.endsWith("weekend")) return startOfDay(today, Math.max(0, 5 - passed)); // its Saturday, or what is left of it
  if (word.startsWith("this ")) return today;
  if (word === "next week") return startOfDay(today, 7 - passed);
  if (word === "next month") return later(today, 1, "month");
  if (word.endsWith("week")) return startOfDay(today, 6 - passed);
  if (word.endsWith("month")) return new Date(today.getFullYear(), today.getMonth() + 1, 0);
  return startOfDay(today, NAMED[word.replace(/^the /, "")] ?? 0);
}

/** In months: the same day, or the last one where that month is shorter. */
function later(today: Date, count: number, unit: string): Date {
  if (unit !== "month") return startOfDay(today, count * (unit === "week" ? 7 : 1));
  const lastDay = new Date(today.getFullYear(), today.getMonth() + count + 1, 0).getDate();
  return new Date(today.getFullYear(), today.getMonth() + count, Math.min(today.getDate(), lastDay));
}
