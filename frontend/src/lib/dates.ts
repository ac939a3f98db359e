/**
 * Due dates as people mean them. A due date is a moment (ISO 8601, UTC) on the wire. A day without a time
 * is kept as the last minute of that day where the user is, so that it is overdue only when the day is over.
 */

const DAY_MS = 24 * 60 * 60 * 1000;

/** Midnight at the start of the day, `days` days later. */
export function startOfDay(date: Date, days = 0): Date {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
}

/** The moment that stands for a whole day. */
export function endOfDay(date: Date, days = 0): Date {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days, 23, 59);
}

/** Whether a moment stands for a whole day. */
function isWholeDay(date: Date): boolean {
  return date.getHours() === 23 && date.getMinutes() === 59;
}

/** Days from today to the day of `date`, in local time; negative in the past. */
function daysUntil(date: Date, now: Date): number {
  return Math.round((startOfDay(date).getTime() - startOfDay(now).getTime()) / DAY_MS);
}

export type DueTone = "overdue" | "today" | "soon" | "later";

/** How a due date is shown: a short label in words, and how urgent it is. */
export function describeDue(iso: string, now: Date, locale?: string): { label: string; tone: DueTone } {
  const due = new Date(iso);
  const days = daysUntil(due, now);
  const time = isWholeDay(due)
    ? ""
    : ` ${due.toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit" })}`;
  const tone: DueTone = due < now ? "overdue" : days === 0 ? "today" : days < 7 ? "soon" : "later";
  return { label: dayLabel(due, days, now, locale) + time, tone };
}

function dayLabel(date: Date, days: number, now: Date, locale?: string): string {
  if (days === 0) return "Today";
  if (days === 1) return "Tomorrow";
  if (days === -1) return "Yesterday";
  if (days > 1 && days < 7) return date.toLocaleDateString(locale, { weekday: "long" });
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(locale, { day: "numeric", month: "short", year });
}

/** The headings under which a list sorted by due date is shown, in their order. */
export const DUE_GROUPS = ["Overdue", "Today", "Tomorrow", "Next 7 days", "Later", "No date"] as const;
export type DueGroup = (typeof DUE_GROUPS)[number];

export function dueGroup(iso: string | null | undefined, now: Date): DueGroup {
  if (!iso) return "No date";
  const due = new Date(iso);
  if (due < now) return "Overdue";
  const days = daysUntil(due, now);
  if (days === 0) return "Today";
  if (days === 1) return "Tomorrow";
  return days < 7 ? "Next 7 days" : "Later";
}

const two = (n: number) => String(n).padStart(2, "0");

/** Values for `<input type="date">` and `<input type="time">`; the time is empty for a whole day. */
export function toInputs(iso: string | null | undefined): { date: string; time: string } {
  if (!iso) return { date: "", time: "" };
  const due = new Date(iso);
  return {
    date: `${due.getFullYear()}-${two(due.getMonth() + 1)}-${two(due.getDate())}`,
    time: isWholeDay(due) ? "" : `${two(due.getHours())}:${two(due.getMinutes())}`,
  };
}

/** The reverse of {@link toInputs}; null without a valid date. */
export function fromInputs(date: string, time: string): string | null {
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
  if (!year || !month || !day) return null;
  const [hours = 23, minutes = 59] = time ? time.split(":").map(Number) : [];
  return new Date(year, month - 1, day, hours, minutes).toISOString();
}
