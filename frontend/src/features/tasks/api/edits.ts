"use client";

import { changesOf, type Edit } from "@/features/tasks/model/edit";
import type { Task } from "@/lib/api/types";
import { keepDraft, readDraft } from "@/lib/drafts";
import { useRuntime } from "@/lib/runtime";
import { useToast } from "@/ui/toast";

const nameOf = (id: string) => `task.${id}`;

/** Edits that are not stored yet, one for each task. */
export function useEdits() {
  const { userId } = useRuntime();
  const toast = useToast();
  const keep = (edit: Edit) => keepDraft(userId, nameOf(edit.opened.id), JSON.stringify(edit));
  const forget = (id: string) => keepDraft(userId, nameOf(id), "");
  const read = (id: string): Edit | undefined => {
    const text = readDraft(userId, nameOf(id));
    return text ? JSON.parse(text) : undefined;
  };
  return {
    keep,
    forget,
    read,
    /** Forgets an edit, unless it has gone on meanwhile. */
    saved: (edit: Edit) => {
      const { id } = edit.opened;
      if (readDraft(userId, nameOf(id)) === JSON.stringify(edit)) forget(id);
    },
    /** Leaves an edit without saving it; what there was of it can be had back. */
    discard: (id: string, reopen: () => void) => {
      const edit = read(id);
      forget(id);
      if (!edit || Object.keys(changesOf(edit)).length === 0) return;
      toast({
        text: `The changes of “${edit.opened.title}” were not saved`,
        action: {
          label: "Edit again",
          hint: "Open the task with these changes",
          run: () => {
            keep(edit);
            reopen();
          },
        },
      });
    },
    /** Takes up an edit anew, now that the task is `current`. */
    rebase: (edit: Edit, current: Task) => keep({ ...edit, opened: current, conflict: true }),
  };
}
