"use client";

import { useSyncExternalStore } from "react";
import { useRuntime } from "./runtime";

/**
 * What was typed and is not stored yet. It is kept in this tab for the user who typed it, so that it is there after a
 * reload, on the way back from another page, and after an expired session.
 */
const PREFIX = "todo.draft.";
const CHANGED = "todo:draft";

const keyOf = (userId: string, name: string) => `${PREFIX}${userId}.${name}`;

/** The draft of that name; empty when there is none. */
export function readDraft(userId: string, name: string): string {
  return sessionStorage.getItem(keyOf(userId, name)) ?? "";
}

/** Keeps a draft; an empty one is none. */
export function keepDraft(userId: string, name: string, text: string): void {
  if (text) sessionStorage.setItem(keyOf(userId, name), text);
  else sessionStorage.removeItem(keyOf(userId, name));
  dispatchEvent(new Event(CHANGED));
}

/** Forgets everybody's: nothing private stays after a logout. */
export function forgetDrafts(): void {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
}

const subscribe = (listener: () => void) => {
  addEventListener(CHANGED, listener);
  return () => removeEventListener(CHANGED, listener);
};

/** The draft of that name, and how to change it, also when the component is gone already. */
export function useDraft(name: string) {
  const { userId } = useRuntime();
  const text = useSyncExternalStore(
    subscribe,
    () => readDraft(userId, name),
    () => "",
  );
  return [text, (next: string) => keepDraft(userId, name, next)] as const;
}
