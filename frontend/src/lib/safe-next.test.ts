import { expect, it } from "vitest";
import { safeNext } from "./safe-next";

it.each([
  ["/tasks?status=all", "/tasks?status=all"],
  ["/chat", "/chat"],
  [undefined, "/tasks"],
  [["/a", "/b"], "/tasks"],
  ["https://evil.example", "/tasks"],
  ["//evil.example/x", "/tasks"],
  ["/\\evil.example", "/tasks"],
  ["/%09/evil.example", "/%09/evil.example"],
  ["/\t/evil.example", "/tasks"],
  ["javascript:alert(1)", "/tasks"],
])("%j leads to %s", (next, expected) => {
  expect(safeNext(next)).toBe(expected);
});
