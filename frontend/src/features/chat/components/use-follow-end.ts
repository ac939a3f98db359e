"use client";

import { type RefObject, useEffect, useRef } from "react";

/** Nearer to the end of the page than this, in pixels, the user reads what comes last. */
const NEAR_END = 100;

/**
 * Keeps `end` in view while what is above it grows (`length`), unless the user has scrolled up to read.
 * A new `subject` begins at the end again.
 */
export function useFollowEnd(end: RefObject<HTMLElement | null>, length: number, subject: string) {
  const following = useRef(true);

  useEffect(() => {
    let before = scrollY;
    const onScroll = () => {
      const left = document.documentElement.scrollHeight - innerHeight - scrollY;
      if (left < NEAR_END) following.current = true;
      else if (scrollY < before) following.current = false;
      before = scrollY;
    };
    addEventListener("scroll", onScroll, { passive: true });
    return () => removeEventListener("scroll", onScroll);
  }, []);

  useEffect(() => {
    following.current = true;
  }, [subject]);

  useEffect(() => {
    if (following.current) end.current?.scrollIntoView({ block: "end" });
  }, [end, length, subject]);
}
