import { describe, expect, it } from "vitest";
import { parseQuickAdd } from "./quick-add";

// A Wednesday, at noon.
const NOW = new Date(2026, 10, 25, 12, 0);
const END = [23, 59] as const;

const due = (month: number, day: number, [hours, minutes]: readonly [number, number] = END, year = 2026) =>
  new Date(year, month - 1, day, hours, minutes).toISOString();

describe("parseQuickAdd", () => {
  it.each([
    ["Call mum today", "Call mum", due(11, 25)],
    ["Call mum tomorrow", "Call mum", due(11, 26)],
    ["tomorrow call mum", "call mum", due(11, 26)],
    ["Call mum fri", "Call mum", due(11, 27)],
    ["Call mum on Friday", "Call mum", due(11, 27)],
    ["Call mum wednesday", "Call mum", due(12, 2)],
    ["Call mum next friday", "Call mum", due(12, 4)],
    ["Call mum next week", "Call mum", due(11, 30)],
    ["Call mum in 3 days", "Call mum", due(11, 28)],
    ["Call mum in two weeks", "Call mum", due(12, 9)],
    ["Call mum in a month", "Call mum", due(12, 25)],
    ["Call mum 2026-12-24", "Call mum", due(12, 24)],
    ["Call mum by 24 Dec", "Call mum", due(12, 24)],
    ["Call mum December 24th", "Call mum", due(12, 24)],
    ["Call mum 3 jan", "Call mum", due(1, 3, END, 2027)],
    ["Call mum 3 jan 2028", "Call mum", due(1, 3, END, 2028)],
    ["Call mum fri 5pm", "Call mum", due(11, 27, [17, 0])],
    ["Call mum fri at 17:30", "Call mum", due(11, 27, [17, 30])],
    ["Call mum tomorrow 12am", "Call mum", due(11, 26, [0, 0])],
    ["Call mum at 2pm", "Call mum", due(11, 25, [14, 0])],
    ["Call mum at 9am", "Call mum", due(11, 26, [9, 0])],
    ["Call mum tomorrow 5pm", "Call mum", due(11, 26, [17, 0])],
    ["Call mum by 5pm tomorrow", "Call mum", due(11, 26, [17, 0])],
    ["Call mum tonight", "Call mum", due(11, 25, [20, 0])],
    ["Call mum tonight 22:15", "Call mum", due(11, 25, [22, 15])],
    ["Call mum tomorrow at noon", "Call mum", due(11, 26, [12, 0])],
    ["Call mum friday midnight", "Call mum", due(11, 27)],
    ["Call mum the day after tomorrow", "Call mum", due(11, 27)],
    ["Slides for this Friday", "Slides", due(11, 27)],
    ["Call mum before fri", "Call mum", due(11, 27)],
    ["Call mum next month", "Call mum", due(12, 25)],
    ["Call mum in six days", "Call mum", due(12, 1)],
  ])("%s", (text, title, dueAt) => {
    expect(parseQuickAdd(text, NOW)).toMatchObject({ title, dueAt });
  });

  it.each([
    "Buy sun cream",
    "Read chapter 12",
    "Meet the 31 feb band", // no such day
    "Email monkey@example.com",
    "Watch 28 days later",
    "Fix issue#4",
    "Say hi!",
  ])("leaves “%s” alone", (text) => {
    expect(parseQuickAdd(text, NOW)).toEqual({
      title: text,
      dueAt: null,
      priority: null,
      tags: [],
      tokens: [],
    });
  });

  it("understands priority, tags and a date in any order", () => {
    expect(parseQuickAdd("!high Pay rent #Home fri #money #home", NOW)).toEqual({
      title: "Pay rent",
      dueAt: due(11, 27),
      priority: "high",
      tags: ["home", "money"],
      tokens: [
        { kind: "tag", text: "#Home" },
        { kind: "tag", text: "#money" },
        { kind: "tag", text: "#home" },
        { kind: "priority", text: "!high" },
        { kind: "due", text: "fri" },
      ],
    });
  });

  it.each([
    ["p1", "high"],
    ["!2", "medium"],
    ["!LOW", "low"],
  ])("reads %s as %s priority", (word, priority) => {
    expect(parseQuickAdd(`Pay rent ${word}`, NOW)).toMatchObject({ title: "Pay rent", priority });
  });

  it("counts months by the calendar: after the 31st of one comes the last day of the next", () => {
    const now = new Date(2027, 0, 31, 12, 0);
    expect(parseQuickAdd("Pay rent next month", now).dueAt).toBe(due(2, 28, END, 2027));
    expect(parseQuickAdd("Pay rent in 13 months", now).dueAt).toBe(due(2, 29, END, 2028));
  });

  it("keeps in the title what the user meant literally", () => {
    const parsed = parseQuickAdd("Watch Friday tomorrow", NOW, ["tomorrow"]);
    expect(parsed).toMatchObject({ title: "Watch tomorrow", dueAt: due(11, 27) });
    expect(parseQuickAdd("Plan next week", NOW, ["next week"])).toMatchObject({
      title: "Plan next week",
      dueAt: null,
    });
  });

  it("takes a line of nothing but a date for a title", () => {
    expect(parseQuickAdd("tomorrow", NOW)).toMatchObject({ title: "tomorrow", dueAt: null, tokens: [] });
  });
});
