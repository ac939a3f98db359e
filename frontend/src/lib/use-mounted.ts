"use client";

import { useSyncExternalStore } from "react";

const never = () => () => {};

/** False on the server and while its page is taken over, then true: for what only a browser can render. */
export function useMounted(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
