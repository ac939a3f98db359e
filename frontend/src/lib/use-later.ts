"use client";

import { useEffect, useState } from "react";

/** Where a browser knows no idle time, as Safari does not. */
const LATER_MS = 1000;

/**
 * A module that the page does not need at first. It is loaded once there is nothing better to do, so that it is there
 * before it is asked for, or as soon as it is `wanted`; undefined until it is there. `load` must always be the same.
 */
export function useLater<Module>(load: () => Promise<Module>, wanted: boolean): Module | undefined {
  const [module, setModule] = useState<Module>();
  useEffect(() => {
    if (module) return;
    const start = () => {
      // What cannot be loaded now is asked for again when it is wanted.
      load().then(setModule, () => {});
    };
    if (wanted) return start();
    if (typeof requestIdleCallback === "undefined") {
      const timer = setTimeout(start, LATER_MS);
      return () => clearTimeout(timer);
    }
    const id = requestIdleCallback(start, { timeout: 5 * LATER_MS });
    return () => cancelIdleCallback(id);
  }, [load, module, wanted]);
  return module;
}
