// @vitest-environment jsdom
import { render } from "@testing-library/react";
import { type ReactNode, useLayoutEffect } from "react";
import { expect, it, vi } from "vitest";
import { useShortcuts } from "./shortcuts";

function Page({ onNew }: { onNew: () => void }) {
  useShortcuts({ n: onNew });
  return null;
}

/** Presses a key when what is below has been put on the screen, and nothing has happened since. */
function AtOnce({ children }: { children: ReactNode }) {
  useLayoutEffect(() => {
    dispatchEvent(new KeyboardEvent("keydown", { key: "n" }));
  });
  return children;
}

it("a key works from when the page is on the screen, and does what the page says last", () => {
  const [first, second] = [vi.fn(), vi.fn()];
  const page = (onNew: () => void) => (
    <AtOnce>
      <Page onNew={onNew} />
    </AtOnce>
  );
  const { rerender } = render(page(first));
  expect(first).toHaveBeenCalledOnce();
  rerender(page(second));
  expect(first).toHaveBeenCalledOnce();
  expect(second).toHaveBeenCalledOnce();
});
