"use client";

import { type RefObject, useLayoutEffect, useRef } from "react";

/**
 * For a button that loads more of the list in `root` and goes away with the last of it: the first of the new
 * items, which `selector` finds, then takes over the focus. To be called when the button is pressed.
 */
export function useFocusOnMore(root: RefObject<HTMLElement | null>, selector: string, hasMore: boolean) {
  const first = useRef<number>(undefined);
  const items = () => root.current?.querySelectorAll<HTMLElement>(selector) ?? [];
  useLayoutEffect(() => {
    if (first.current === undefined || hasMore) return;
    if (document.activeElement === document.body) items()[first.current]?.focus();
    first.current = undefined;
  });
  return () => {
    first.current = items().length;
  };
}
