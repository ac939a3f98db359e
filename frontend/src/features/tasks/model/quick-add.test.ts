import { describe, expect, it } from "vitest";
import { dayString } from "@/lib/dates";
import table from "./grammar.json";
import { parseQuickAdd } from "./quick-add";

type Case = {
  text: string;
  title: string;
  due_on?: string;
  due_at?: string;
  priority?: string;
  tags?: string[];
  spans?: string[][];
};

const NOW = new Date(table.now);

describe("the table of cases that the API runs, too", () => {
  it.each(table.cases as Case[])("$text", (expected) => {
    const { spans, ...parsed } = parseQuickAdd(expected.text, NOW);
    expect({ ...parsed, spans: spans.map(({ kind, text }) => [kind, text]) }).toEqual({
      title: expected.title,
      dueOn: expected.due_on ?? null,
      dueAt: expected.due_at ? new Date(expected.due_at).toISOString() : null,
      priority: expected.priority ?? null,
      tags: expected.tags ?? [],
      spans: expected.spans ?? [],
    });
    for (const { start, end, text } of spans) expect(expected.text.slice(start, end)).toBe(text);
  });
});

describe("what only quick-add has", () => {
  it("hours are hours also when the clocks are changed", () => {
    const saturday = new Date("2026-10-24T23:30:00+02:00");
    expect(parseQuickAdd("call mum in 4 hours", saturday).dueAt).toBe("2026-10-25T01:30:00.000Z");
  });

  it("a day is the day where the user is", () => {
    expect(dayString(new Date(2026, 0, 5, 23, 30))).toBe("2026-01-05");
  });

  it("what the user meant literally stays in the title, and something else may be the date", () => {
    expect(parseQuickAdd("Watch Friday tomorrow", NOW, ["tomorrow"])).toMatchObject({
      title: "Watch tomorrow",
      dueOn: "2026-11-27",
    });
    expect(parseQuickAdd("Plan next week #home", NOW, ["next week", "#home"])).toMatchObject({
      title: "Plan next week #home",
      dueOn: null,
      tags: [],
      spans: [],
    });
  });
});
