import { expect, it } from "vitest";
import { DEFAULT_FILTERS, readFilters, toQuery, writeFilters } from "./filters";

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
