/**
 * Due dates as people mean them: a day, which is the same one wherever it is looked at, or a moment (ISO 8601, UTC).
 */

const DAY_MS = 24 * 60 * 60 * 1000;

/** When a task is due, as the API has it: with `due_on` the day counts, and `due_at` is but its place in lists. */
export type DueFields = { due_at?: string | null; due_on?: string | null };

/** Midnight at the start of the day, `days` days later. */
export function startOfDay(date: Date, days = 0): Date {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
}

/** That day of the calendar, or null where there is none, such as the 31st of February. */
export function calendarDay(year: number, month: number, day: number): Date | null {
  const date = new Date(year, month, 1);
  date.setDate(day);
  return day > 0 && date.getDate() === day ? date : null;
}

const two = (n: number) => String(n).padStart(2, "0");

/** A day as the API and `<input type="date">` write it. */
export function dayString(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The day of a string such as "2026-12-01", at its beginning where the user is. */
function dayOf(text: string): Date | null {
  const [year = 0, month = 0, day = 0] = text.split("-").map(Number);
  return year ? calendarDay(year, month - 1, day) : null;
}

type Moment = { at: Date; whole: boolean };

/** The last minute of a day stands for the whole of it in tasks from before there were days. */
function momentOf({ due_at, due_on }: DueFields): Moment | null {
  const day = due_on ? dayOf(due_on) : null;
  if (day) return { at: day, whole: true };
  if (!due_at) return null;
  const at = new Date(due_at);
  return { at, whole: at.getHours() === 23 && at.getMinutes() === 59 };
}

/** Days from today to the day of `date`, in local time; negative in the past. */
function daysUntil(date: Date, now: Date): number {
  return Math.round((startOfDay(date).getTime() - startOfDay(now).getTime()) / DAY_MS);
}

const isOver = ({ at, whole }: Moment, now: Date) => (whole ? daysUntil(at, now) < 0 : at < now);

export type DueTone = "overdue" | "today" | "soon" | "later";

/** How a due date is shown: a short label in words, and how urgent it is. Null without one. */
export function describeDue(
  due: DueFields,
  now: Date,
  locale?: string,
): { label: string; tone: DueTone } | null {
  const moment = momentOf(due);
  if (!moment) return null;
  const { at, whole } = moment;
  const days = daysUntil(at, now);
  const time = whole ? "" : ` ${at.toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit" })}`;
  const tone = isOver(moment, now) ? "overdue" : days === 0 ? "today" : days < 7 ? "soon" : "later";
  return { label: dayLabel(at, days, now, locale) + time, tone };
}

function dayLabel(date: Date, days: number, now: Date, locale?: string): string {
  if (Math.abs(days) <= 1) {
    // In the language of the other labels.
    const word = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(days, "day");
    return word.charAt(0).toLocaleUpperCase(locale) + word.slice(1);
  }
  if (days > 1 && days < 7) return date.toLocaleDateString(locale, { weekday: "long" });
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(locale, { day: "numeric", month: "short", year });
}

/** The headings under which a list sorted by due date is shown, in their order. */
export const DUE_GROUPS = ["Overdue", "Today", "Tomorrow", "Next 7 days", "Later", "No date"] as const;
export type DueGroup = (typeof DUE_GROUPS)[number];

export function dueGroup(due: DueFields, now: Date): DueGroup {
  const moment = momentOf(due);
  if (!moment) return "No date";
  if (isOver(moment, now)) return "Overdue";
  const days = daysUntil(moment.at, now);
  if (days === 0) return "Today";
  if (days === 1) return "Tomorrow";
  return days < 7 ? "Next 7 days" : "Later";
}

/** Values for `<input type="date">` and `<input type="time">`; the time is empty for a whole day. */
export function toInputs(due: DueFields): { date: string; time: string } {
  const moment = momentOf(due);
  if (!moment) return { date: "", time: "" };
  const { at, whole } = moment;
  return { date: dayString(at), time: whole ? "" : `${two(at.getHours())}:${two(at.getMinutes())}` };
}

/** The reverse of {@link toInputs}, as the API takes it. */
export function fromInputs(date: string, time: string): DueFields & { due_zone?: string } {
  const day = dayOf(date);
  if (!day) return { due_at: null };
  if (!time) return { due_on: date, due_zone: timeZone() };
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  day.setHours(hours, minutes);
  return { due_at: day.toISOString(), due_zone: timeZone() };
}

/** Where the user is. */
export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** When a task due on a day, or at a moment, has its place in lists: the day's last minute. */
export function placeOf({ due_at, due_on }: DueFields): string | null {
  const day = due_on ? dayOf(due_on) : null;
  day?.setHours(23, 59);
  return day?.toISOString() ?? due_at ?? null;
}

/** A moment that has been, as it is written where the user is. */
export function dayAndTime(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
