"use client";

import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { Deletions } from "@/features/tasks/model/deletions";
import { unwrap } from "@/lib/api/client";
import { deleteTask } from "@/lib/api/generated";
import { asProblem } from "@/lib/api/problem";
import type { Task } from "@/lib/api/types";
import { useRuntime } from "@/lib/runtime";
import { useToast } from "@/ui/toast";
import { taskQueries } from "./queries";

const DeletionsContext = createContext<Deletions | null>(null);

/** Keeps the pending deletions of the session, and carries them out when the page goes away. */
export function DeletionsProvider({ children }: { children: ReactNode }) {
  const { api } = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  const [deletions] = useState(
    () =>
      new Deletions(
        async (task, leaving) => {
          const call = deleteTask({ client: api, path: { task_id: task.id }, keepalive: leaving });
          await unwrap(call).catch((error) => {
            if (asProblem(error).status !== 404) throw error; // already gone is as good
          });
          if (!leaving) await client.invalidateQueries({ queryKey: taskQueries.lists() });
        },
        (task, error) =>
          toast({ tone: "error", text: `“${task.title}” was not deleted. ${asProblem(error).message}` }),
      ),
  );

  useEffect(() => {
    addEventListener("pagehide", deletions.flush);
    return () => {
      removeEventListener("pagehide", deletions.flush);
      void deletions.flush();
    };
  }, [deletions]);

  return <DeletionsContext value={deletions}>{children}</DeletionsContext>;
}

/** Ids of deleted tasks to leave out of lists, and ways to delete and to bring back. */
export function useDeletions() {
  const deletions = useContext(DeletionsContext);
  if (!deletions) throw new Error("useDeletions needs a DeletionsProvider above it");
  const toast = useToast();
  const hidden = useSyncExternalStore(deletions.subscribe, deletions.snapshot, deletions.snapshot);

  const remove = (task: Task, onUndo: () => void) => {
    deletions.add(task);
    toast({
      text: `Deleted “${task.title}”`,
      undo: () => {
        deletions.undo(task.id);
        onUndo();
      },
      onGone: () => void deletions.commit(task.id),
    });
  };
  return { hidden, remove, flush: deletions.flush };
}
