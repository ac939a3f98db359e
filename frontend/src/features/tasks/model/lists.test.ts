import { expect, it } from "vitest";
import { page, task } from "@/test/api";
import { insertTask, removeTask, replaceTask, type TaskList } from "./lists";

const list = (...pages: string[][]): TaskList => ({
  pages: pages.map((titles) => ({ ...page(titles.map((title) => task({ id: title, title }))), total: 9 })),
  pageParams: pages.map(() => undefined),
});
const titles = (value: TaskList) => value.pages.map((p) => p.items.map((t) => t.title));

it("inserts where the order wants it, on whichever page that is", () => {
  const before = list(["a", "c"], ["e"]);
  const insert = (title: string) => titles(insertTask(before, task({ title }), "title"));
  expect(insert("b")).toEqual([["a", "b", "c"], ["e"]]);
  expect(insert("d")).toEqual([
    ["a", "c"],
    ["d", "e"],
  ]);
  expect(insert("f")).toEqual([
    ["a", "c"],
    ["e", "f"],
  ]);
  expect(titles(insertTask(list([]), task({ title: "x" }), "title"))).toEqual([["x"]]);
});

it("counts what it adds and removes, on every page", () => {
  const before = list(["a"], ["b"]);
  expect(insertTask(before, task(), "title").pages.map((p) => p.total)).toEqual([10, 10]);
  expect(removeTask(before, "b").pages.map((p) => p.total)).toEqual([8, 8]);
  expect(removeTask(before, "nobody")).toBe(before);
});

it("puts tasks without a due date last", () => {
  const dated = task({ id: "d", title: "d", due_at: "2026-12-01T00:00:00Z" });
  const before: TaskList = { pages: [page([dated, task({ id: "n", title: "n" })])], pageParams: [undefined] };
  const later = task({ title: "l", due_at: "2026-12-02T00:00:00Z" });
  expect(titles(insertTask(before, later, "due_at"))).toEqual([["d", "l", "n"]]);
});

it("replaces one task and leaves the rest as it is", () => {
  const before = list(["a", "b"]);
  const after = replaceTask(before, "b", task({ id: "b", title: "B" }));
  expect(titles(after)).toEqual([["a", "B"]]);
  expect(after.pages[0]?.items[0]).toBe(before.pages[0]?.items[0]);
});
