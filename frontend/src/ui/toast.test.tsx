// @vitest-environment jsdom
import { act, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { ToastProvider, useToast } from "./toast";

afterEach(() => vi.useRealTimers());

function Failing() {
  const toast = useToast();
  const say = () => {
    toast({ text: "Saved." });
    toast({ text: "Completed “Read”", undo: () => {} });
    toast({
      tone: "error",
      text: "“Read” was not changed.",
      action: { label: "Try again", hint: "Repeat the change", run: () => {} },
    });
  };
  return (
    <button type="button" onClick={say}>
      Fail
    </button>
  );
}

it("what can be undone can be for 20 s, what can be tried again until it is dismissed; other messages go", async () => {
  vi.useFakeTimers();
  render(
    <ToastProvider>
      <Failing />
    </ToastProvider>,
  );
  await act(async () => {
    screen.getByText("Fail").click();
    await import("./toasts");
  });
  expect(screen.getByText("Saved.")).toBeVisible();
  act(() => vi.advanceTimersByTime(19_000));
  expect(screen.queryByText("Saved.")).toBeNull();
  expect(screen.getByRole("button", { name: /Undo/ })).toBeVisible();
  act(() => vi.advanceTimersByTime(60_000));
  expect(screen.queryByRole("button", { name: /Undo/ })).toBeNull();
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});
