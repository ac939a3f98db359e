import { expect, it } from "vitest";
import type { Task } from "@/lib/api/types";
import { compareTasks, DEFAULT_FILTERS, isShown, readFilters, toQuery, writeFilters } from "./filters";

it("survives the way through the address bar", () => {
  const filters = {
    status: "all",
    q: "milk & honey",
    priority: "high",
    tag: "home",
    sort: "-created_at",
  } as const;
  expect(readFilters(writeFilters(filters, new URLSearchParams()))).toEqual(filters);
});

it("leaves defaults out of the address and keeps other parameters", () => {
  const params = writeFilters(DEFAULT_FILTERS, new URLSearchParams("status=all&task=7"));
  expect(params.toString()).toBe("task=7");
});

it("falls back to the defaults for what it does not know", () => {
  const odd = new URLSearchParams("status=nope&priority=urgent&sort=colour&q=%20%20");
  expect(readFilters(odd)).toEqual(DEFAULT_FILTERS);
});

it("asks the API for nothing that it need not know", () => {
  expect(toQuery(DEFAULT_FILTERS)).toEqual({ sort: "due_at", status: "open" });
  expect(toQuery({ ...DEFAULT_FILTERS, status: "all" })).toEqual({ sort: "due_at" });
});

const task = (changes: Partial<Task>) =>
  ({ title: "Milk", description: "", tags: [], priority: "low", due_at: null, ...changes }) as Task;

it("finds words in tags, as the API does", () => {
  const shown = (q: string) => isShown(task({ tags: ["shop"] }), { ...DEFAULT_FILTERS, status: "all", q });
  expect(["sho", "#shop milk", "bread"].map(shown)).toEqual([true, true, false]);
});

it("puts equals in the order in which they were made", () => {
  const tasks = [3, 1, 2].map((day) => task({ title: "Milk", created_at: `2026-01-0${day}T00:00:00Z` }));
  const days = (sort: Parameters<typeof compareTasks>[0]) =>
    tasks.toSorted(compareTasks(sort)).map(({ created_at }) => created_at[9]);
  for (const sort of ["due_at", "priority", "title", "created_at"] as const)
    expect([days(sort), days(`-${sort}`)]).toEqual([
      ["1", "2", "3"],
      ["3", "2", "1"],
    ]);
});
