"use client";

import { type RefObject, useEffect, useRef } from "react";
import type { Task } from "@/lib/api/types";

/** Moves the focus between rows, and to a neighbour when the focused row goes away, or to the list without one. */
export function useRowFocus(root: RefObject<HTMLDivElement | null>, tasks: Task[]) {
  const last = useRef<{ id: string; index: number }>(undefined);
  const wanted = useRef<string>(undefined);

  const rows = () => [...(root.current?.querySelectorAll<HTMLElement>("[data-task]") ?? [])];
  const focusRow = (row: HTMLElement | undefined) =>
    row?.querySelector<HTMLElement>("[data-task-title]")?.focus();
  const current = () => (document.activeElement?.closest("[data-task]") as HTMLElement | null)?.dataset.task;

  useEffect(() => {
    const element = root.current;
    const onFocus = () => {
      const id = current();
      if (id) last.current = { id, index: rows().findIndex((row) => row.dataset.task === id) };
    };
    const onLeave = (event: FocusEvent) => {
      if (event.relatedTarget) last.current = undefined;
    };
    element?.addEventListener("focusin", onFocus);
    element?.addEventListener("focusout", onLeave);
    return () => {
      element?.removeEventListener("focusin", onFocus);
      element?.removeEventListener("focusout", onLeave);
    };
  });

  useEffect(() => {
    const row = wanted.current && rows().find((candidate) => candidate.dataset.task === wanted.current);
    if (row) {
      wanted.current = undefined;
      // It may have come late, and somebody may type by now.
      if (!document.activeElement?.matches("input, textarea, select")) focusRow(row);
    }
    const lost = last.current && !tasks.some((task) => task.id === last.current?.id);
    if (lost && document.activeElement === document.body) {
      const all = rows();
      if (all.length > 0) focusRow(all[Math.min(last.current?.index ?? 0, all.length - 1)]);
      else root.current?.closest("section")?.focus();
    }
  });

  return {
    /** Id of the task whose row has the focus. */
    current,
    /** Focuses this task's row as soon as it is there. */
    later: (id: string) => {
      wanted.current = id;
    },
    move: (step: 1 | -1) => {
      const all = rows();
      const from = all.findIndex((row) => row.dataset.task === current());
      focusRow(from < 0 ? all[step > 0 ? 0 : all.length - 1] : all[from + step]);
    },
  };
}
