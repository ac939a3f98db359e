// @vitest-environment jsdom
import { act, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { ToastProvider, useToast } from "./toast";

afterEach(() => vi.useRealTimers());

function Failing() {
  const toast = useToast();
  const say = () => {
    toast({ text: "Completed “Read”" });
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

it("a message that asks for something waits for it, others go by themselves", () => {
  vi.useFakeTimers();
  render(
    <ToastProvider>
      <Failing />
    </ToastProvider>,
  );
  act(() => screen.getByText("Fail").click());
  expect(screen.getByText("Completed “Read”")).toBeVisible();
  act(() => vi.advanceTimersByTime(60_000));
  expect(screen.queryByText("Completed “Read”")).toBeNull();
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});
