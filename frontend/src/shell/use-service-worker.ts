"use client";

import { useEffect } from "react";
import { keepPagesFor } from "@/lib/kept-pages";
import { useRuntime } from "@/lib/runtime";

/** Where one gets to from any page, and should without a network. */
const PAGES = ["/tasks", "/chat"];
const FILES = "/_next/static/";
/** After what the page itself loads. */
const LATER_MS = 3000;

/** Has pages kept for when there is no network, where the browser can. */
export function useServiceWorker(): void {
  const { userId } = useRuntime();
  useEffect(() => {
    if (process.env.NODE_ENV !== "production" || !("serviceWorker" in navigator)) return;
    const keep = async () => {
      await keepPagesFor(userId);
      await navigator.serviceWorker.register("/sw.js");
      const { active } = await navigator.serviceWorker.ready;
      // What came before the worker was there, parts of the page among it that no page names.
      const files = performance
        .getEntriesByType("resource")
        .map(({ name }) => new URL(name))
        .filter(({ origin, pathname }) => origin === location.origin && pathname.startsWith(FILES))
        .map(({ pathname }) => pathname);
      active?.postMessage({ pages: PAGES, files });
    };
    // Without it everything works as long as there is a network.
    const timer = setTimeout(() => keep().catch(() => {}), LATER_MS);
    return () => clearTimeout(timer);
  }, [userId]);
}
