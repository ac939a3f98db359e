import { describe, expect, it } from "vitest";
import { describeDue, dueGroup, endOfDay, fromInputs, toInputs } from "./dates";

const NOW = new Date(2026, 10, 25, 12, 0); // a Wednesday
const at = (month: number, day: number, hours = 23, minutes = 59, year = 2026) =>
  new Date(year, month - 1, day, hours, minutes).toISOString();

describe("describeDue", () => {
  it.each([
    [at(11, 25), "Today", "today"],
    [at(11, 25, 17, 30), "Today 17:30", "today"],
    [at(11, 25, 11, 0), "Today 11:00", "overdue"],
    [at(11, 24), "Yesterday", "overdue"],
    [at(11, 26), "Tomorrow", "soon"],
    [at(12, 1), "Tuesday", "soon"],
    [at(12, 2), "2 Dec", "later"],
    [at(1, 5, 23, 59, 2027), "5 Jan 2027", "later"],
    [at(11, 1), "1 Nov", "overdue"],
  ])("%s is %s", (iso, label, tone) => {
    expect(describeDue(iso, NOW, "en-GB")).toEqual({ label, tone });
  });
});

describe("dueGroup", () => {
  it.each([
    [null, "No date"],
    [at(11, 25, 11, 59), "Overdue"],
    [at(11, 25), "Today"],
    [at(11, 26, 0, 0), "Tomorrow"],
    [at(12, 1), "Next 7 days"],
    [at(12, 2, 0, 0), "Later"],
  ])("%s belongs to %s", (iso, group) => {
    expect(dueGroup(iso, NOW)).toBe(group);
  });

  it("counts days and not hours across the end of summer time", () => {
    const saturday = new Date(2026, 9, 24, 12, 0);
    expect(dueGroup(endOfDay(saturday, 1).toISOString(), saturday)).toBe("Tomorrow");
  });
});

describe("inputs", () => {
  it("come back as the same moment", () => {
    for (const iso of [at(11, 25), at(2, 3, 4, 5)]) {
      const { date, time } = toInputs(iso);
      expect(fromInputs(date, time)).toBe(iso);
    }
  });

  it("show no time for a whole day, and nothing without a date", () => {
    expect(toInputs(at(11, 25))).toEqual({ date: "2026-11-25", time: "" });
    expect(toInputs(null)).toEqual({ date: "", time: "" });
    expect(fromInputs("", "10:00")).toBeNull();
  });
});
