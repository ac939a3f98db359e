"use client";

import { useEffect } from "react";
import { forgetPages, keepPagesFor } from "@/lib/kept-pages";
import { useRuntime } from "@/lib/runtime";
import { useToast } from "@/ui/toast";

/** Where one gets to from any page, and should without a network. */
const PAGES = ["/tasks", "/chat"];
const FILES = "/_next/static/";
/** What the worker says when it has a newer build of the page that is shown. */
const NEWER = "newer";
/** After what the page itself loads. */
const LATER_MS = 3000;

const reload = () => location.reload();

/** Has pages kept for when there is no network, where the browser can. */
export function useServiceWorker(): void {
  const { userId } = useRuntime();
  const toast = useToast();
  useEffect(() => {
    const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    if (!workers) return;
    if (process.env.NODE_ENV !== "production") return void abolish(workers).catch(() => {});

    const keep = async () => {
      await workers.register("/sw.js");
      const { active } = await workers.ready;
      // What came before the worker was there, parts of the page among it that no page names.
      const files = performance
        .getEntriesByType("resource")
        .map(({ name }) => new URL(name))
        .filter(({ origin, pathname }) => origin === location.origin && pathname.startsWith(FILES))
        .map(({ pathname }) => pathname);
      active?.postMessage({ pages: PAGES, files });
    };
    const onMessage = ({ data }: MessageEvent) => {
      if (data !== NEWER) return;
      // Whoever has begun something decides when.
      if (document.activeElement === document.body) return reload();
      toast({
        text: "There is a newer version of this page.",
        action: { label: "Reload", hint: "Load the newer version", run: reload },
      });
    };
    workers.addEventListener("message", onMessage);
    let timer: ReturnType<typeof setTimeout> | undefined;
    keepPagesFor(userId)
      .then(() => {
        // Without it everything works as long as there is a network.
        timer = setTimeout(() => keep().catch(() => {}), LATER_MS);
      })
      .catch(() => {});
    return () => {
      workers.removeEventListener("message", onMessage);
      clearTimeout(timer);
    };
  }, [userId, toast]);
}

/** While the pages are worked on, what is shown is what was saved. The deployed version was behind the same address. */
async function abolish(workers: ServiceWorkerContainer): Promise<void> {
  const all = await workers.getRegistrations();
  await Promise.all(all.map((registration) => registration.unregister()));
  await forgetPages();
}
