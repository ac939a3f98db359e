// @vitest-environment jsdom
import { renderHook } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { useFollowEnd } from "./use-follow-end";

const PAGE_HEIGHT = 3000;
const WINDOW_HEIGHT = 800;
const scrollIntoView = vi.fn();

beforeEach(() => {
  scrollIntoView.mockClear();
  vi.stubGlobal("innerHeight", WINDOW_HEIGHT);
  vi.spyOn(document.documentElement, "scrollHeight", "get").mockReturnValue(PAGE_HEIGHT);
  scrollTo(PAGE_HEIGHT - WINDOW_HEIGHT);
});

function scrollTo(y: number) {
  vi.stubGlobal("scrollY", y);
  dispatchEvent(new Event("scroll"));
}

function follow() {
  const end = { current: Object.assign(document.createElement("div"), { scrollIntoView }) };
  const view = renderHook(({ length, subject }) => useFollowEnd(end, length, subject), {
    initialProps: { length: 1, subject: "a" },
  });
  scrollIntoView.mockClear();
  return view;
}

it("stays at the end while the text grows", () => {
  follow().rerender({ length: 2, subject: "a" });
  expect(scrollIntoView).toHaveBeenCalledOnce();
});

it("lets a user who has scrolled up read, until they return to the end", () => {
  const { rerender } = follow();
  scrollTo(500);
  rerender({ length: 2, subject: "a" });
  expect(scrollIntoView).not.toHaveBeenCalled();
  scrollTo(PAGE_HEIGHT - WINDOW_HEIGHT);
  rerender({ length: 3, subject: "a" });
  expect(scrollIntoView).toHaveBeenCalledOnce();
});

it("is not stopped by its own way down", () => {
  const { rerender } = follow();
  scrollTo(1000);
  scrollTo(PAGE_HEIGHT - WINDOW_HEIGHT); // at the end once
  vi.spyOn(document.documentElement, "scrollHeight", "get").mockReturnValue(PAGE_HEIGHT + 1000);
  scrollTo(PAGE_HEIGHT - WINDOW_HEIGHT + 100); // more has come meanwhile
  rerender({ length: 2, subject: "a" });
  expect(scrollIntoView).toHaveBeenCalledOnce();
});

it("begins at the end of another subject", () => {
  const { rerender } = follow();
  scrollTo(500);
  rerender({ length: 1, subject: "b" });
  expect(scrollIntoView).toHaveBeenCalledOnce();
});
