"use client";

import { useLayoutEffect, useRef, useSyncExternalStore } from "react";

/** Keys that work anywhere on a page outside text fields, as the help shows them. */
export const SHORTCUTS = [
  { keys: ["n"], what: "New task, or new conversation" },
  { keys: ["/"], what: "Search, or write to the assistant" },
  { keys: ["j", "k"], what: "Next and previous task" },
  { keys: ["e"], what: "Edit the task" },
  { keys: ["x"], what: "Complete the task" },
  { keys: ["Delete"], what: "Delete the task" },
  { keys: ["z"], what: "Undo what was completed or deleted" },
  { keys: ["g"], what: "Go to the assistant, or back to the tasks" },
  { keys: ["?"], what: "This help" },
] as const;

const STORAGE_KEY = "todo.shortcuts";
const CHANGED = "todo:shortcuts";

/** Whether single-key shortcuts are on. Some people need them off: speech input types letters, too. */
function shortcutsEnabled(): boolean {
  return localStorage.getItem(STORAGE_KEY) !== "off";
}

export function setShortcutsEnabled(on: boolean): void {
  if (on) localStorage.removeItem(STORAGE_KEY);
  else localStorage.setItem(STORAGE_KEY, "off");
  dispatchEvent(new Event(CHANGED));
}

const subscribe = (listener: () => void) => {
  addEventListener(CHANGED, listener);
  return () => removeEventListener(CHANGED, listener);
};

export function useShortcutsEnabled(): boolean {
  return useSyncExternalStore(subscribe, shortcutsEnabled, () => true);
}

function ownsKeys(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  // Whatever is in a form has its own use for keys: a button takes the focus, a radio is chosen by arrows.
  if (target.isContentEditable || target.closest("form") || target.matches("textarea, select")) return true;
  return target instanceof HTMLInputElement && target.type !== "checkbox";
}

/**
 * Runs `handlers[key]` when that key is pressed, outside forms, text fields and dialogs. "Mod+" before a key stands for
 * Ctrl or Command; such keys also work for those who have switched the single ones off.
 */
export function useShortcuts(handlers: Record<string, () => void>): void {
  const latest = useRef(handlers);
  // Before the page is painted: who sees it may press a key.
  useLayoutEffect(() => {
    latest.current = handlers;
  });
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey || event.isComposing) return;
      if (ownsKeys(event.target) || document.querySelector("[role=dialog], [role=menu]")) return;
      const mod = event.ctrlKey || event.metaKey;
      const handler = latest.current[mod ? `Mod+${event.key}` : event.key];
      if (!handler || !(mod || shortcutsEnabled())) return;
      event.preventDefault();
      handler();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}
