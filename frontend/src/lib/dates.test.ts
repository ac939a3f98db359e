import { describe, expect, it } from "vitest";
import { type DueFields, describeDue, dueGroup, fromInputs, placeOf, toInputs } from "./dates";

const NOW = new Date(2026, 10, 25, 12, 0); // a Wednesday
const at = (month: number, day: number, hours = 23, minutes = 59, year = 2026) =>
  new Date(year, month - 1, day, hours, minutes).toISOString();
const on = (due_on: string) => ({ due_on, due_at: "2000-01-01T00:00:00Z" });

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
  ])("%s is %s", (due_at, label, tone) => {
    expect(describeDue({ due_at }, NOW, "en-GB")).toEqual({ label, tone });
  });

  it.each([
    ["2026-11-24", "Yesterday", "overdue"],
    ["2026-11-25", "Today", "today"],
    ["2026-11-26", "Tomorrow", "soon"],
    ["2026-12-01", "Tuesday", "soon"],
    ["2027-01-05", "5 Jan 2027", "later"],
  ])("the day %s is %s, wherever it was meant", (due_on, label, tone) => {
    expect(describeDue(on(due_on), NOW, "en-GB")).toEqual({ label, tone });
  });

  it("speaks one language", () => {
    expect(["2026-11-26", "2026-11-28"].map((day) => describeDue(on(day), NOW, "de-DE")?.label)).toEqual([
      "Morgen",
      "Samstag",
    ]);
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
  ])("%s belongs to %s", (due_at, group) => {
    expect(dueGroup({ due_at }, NOW)).toBe(group);
  });

  it("counts days and not hours across the end of summer time", () => {
    const saturday = new Date(2026, 9, 24, 12, 0);
    expect(dueGroup(on("2026-10-25"), saturday)).toBe("Tomorrow");
  });
});

describe("inputs", () => {
  it("come back as the same day or moment", () => {
    const due_zone = "Europe/Vienna";
    const back = (due: DueFields) => {
      const { date, time } = toInputs(due);
      return fromInputs(date, time);
    };
    expect(back({ due_at: at(2, 3, 4, 5) })).toEqual({ due_at: at(2, 3, 4, 5), due_zone });
    expect(back(on("2026-11-25"))).toEqual({ due_on: "2026-11-25", due_zone });
  });

  it("show no time for a whole day, and nothing without a date", () => {
    expect(toInputs({ due_at: at(11, 25) })).toEqual({ date: "2026-11-25", time: "" });
    expect(toInputs({})).toEqual({ date: "", time: "" });
    expect(fromInputs("", "10:00")).toEqual({ due_at: null });
  });

  it("a day has its place at its end", () => {
    expect(placeOf(on("2026-11-25"))).toBe(at(11, 25));
    expect(placeOf({ due_at: at(2, 3, 4, 5) })).toBe(at(2, 3, 4, 5));
  });
});
