"use client";

import { usePathname, useSearchParams } from "next/navigation";
import { useCallback, useLayoutEffect, useRef, useState } from "react";

const STARTED_OVER = "todo:started-over";

/** Whether another page is on its way: the router would give that up for a change of this page's address. */
let leaving = false;

export function leave(url: string): void {
  leaving = new URL(url, location.href).pathname !== location.pathname;
}

const address = (params: URLSearchParams) => (params.size > 0 ? `?${params}` : location.pathname);

/** Shows the page where the user is as its plain address does; Back leads to what it shows now. */
export function startOver(): void {
  leaving = false;
  history.pushState(null, "", location.pathname);
  dispatchEvent(new Event(STARTED_OVER));
}

/**
 * What the page shows of all that it could, and a function that changes it. It is the page's own state. The address
 * is where it begins, follows it, so that a reload or a bookmark shows the same, and leads it on Back and Forward
 * alone: what the router makes of the address comes late, and may be of a while ago. A change that is
 * pushed is one that Back takes back.
 */
export function usePageParams() {
  const pathname = usePathname();
  const first = useSearchParams();
  const [params, setParams] = useState(() => new URLSearchParams(first));
  // Several changes may come before React has rendered the first.
  const latest = useRef(params);
  const show = useCallback((next: URLSearchParams) => {
    latest.current = next;
    setParams(next);
  }, []);

  useLayoutEffect(() => {
    leaving = false;
    // On the way to another page this one is still here for a while.
    const follow = () => location.pathname === pathname && show(new URLSearchParams(location.search));
    const events = ["popstate", STARTED_OVER];
    for (const event of events) addEventListener(event, follow);
    return () => {
      for (const event of events) removeEventListener(event, follow);
    };
  }, [pathname, show]);

  const change = useCallback(
    (edit: (now: URLSearchParams) => URLSearchParams, step: "push" | "replace" = "replace") => {
      const next = edit(latest.current);
      const same = next.toString() === latest.current.toString();
      show(next);
      // On the way Back to another page the address is that page's already.
      if (!leaving && location.pathname === pathname) {
        if (step === "push" && !same) history.pushState(null, "", address(next));
        else history.replaceState(null, "", address(next));
      }
    },
    [pathname, show],
  );
  return [params, change] as const;
}
