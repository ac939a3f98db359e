import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";
import { navigation } from "./navigation";

// A machine with much to do is no fault of the page.
configure({ asyncUtilTimeout: 20_000 });

vi.mock("next/navigation", () => navigation.module);

if (typeof window !== "undefined") {
  // What jsdom lacks and components call.
  Element.prototype.scrollIntoView = () => {};
  Element.prototype.hasPointerCapture = () => false;
  window.matchMedia = (media) =>
    ({ ...new EventTarget(), media, matches: media === "(pointer: fine)" }) as MediaQueryList;
  navigation.install();
}

afterEach(() => {
  if (typeof window === "undefined") return;
  cleanup();
  navigation.reset();
  localStorage.clear();
  sessionStorage.clear();
});
