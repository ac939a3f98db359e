"use client";

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "react";

/** A ref for what goes away by itself: if the focus is in it then, `takeOver` gets the word to put it elsewhere. */
export function useFocusHandover(takeOver: () => void) {
  const latest = useRef(takeOver);
  useEffect(() => {
    latest.current = takeOver;
  });
  return useCallback((element: HTMLElement | null) => {
    // React calls this before it removes the element: the focus is still there.
    return () => {
      if (element?.contains(document.activeElement)) latest.current();
    };
  }, []);
}

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
