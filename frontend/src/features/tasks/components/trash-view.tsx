"use client";

import { Undo2 } from "lucide-react";
import { useRef } from "react";
import { useRestoreTask, useTrash } from "@/features/tasks/api/use-trash";
import { asProblem } from "@/lib/api/problem";
import { useFocusOnMore } from "@/lib/use-focus-on-more";
import { Button } from "@/ui/button";
import { ErrorNote } from "@/ui/field";

const day = (iso: string) => new Date(iso).toLocaleDateString(undefined, { day: "numeric", month: "long" });

/** The page of deleted tasks, from which each can be had back for 30 days. */
export function TrashView() {
  const trash = useTrash();
  const restore = useRestoreTask();
  const section = useRef<HTMLElement>(null);
  const keepFocus = useFocusOnMore(section, "[data-restore]", trash.hasNextPage);
  const tasks = trash.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section ref={section} className="mx-auto w-full max-w-3xl px-4 py-6 sm:px-6 sm:py-8">
      <h1 className="font-bold text-2xl tracking-tight">Trash</h1>
      <p className="mt-1 mb-5 text-muted text-sm">
        Deleted tasks stay here for 30 days. Then they are gone for good.
      </p>
      <p role="status" className="text-muted text-sm">
        {trash.isPending ? "Loading…" : tasks.length === 0 && !trash.isError ? "The trash is empty." : ""}
      </p>
      {trash.isError && (
        <div className="grid justify-items-start gap-3">
          <ErrorNote>{asProblem(trash.error).message}</ErrorNote>
          <Button onClick={() => trash.refetch()}>Try again</Button>
        </div>
      )}
      <ul className="divide-y divide-line">
        {tasks.map((task) => (
          <li key={task.id} className="flex min-h-11 items-center gap-3 py-1.5">
            <div className="min-w-0 flex-1">
              <p dir="auto" className="[overflow-wrap:anywhere]">
                {task.title}
              </p>
              <p className="text-muted text-sm">
                Deleted on {day(task.deleted_at)}, gone for good on {day(task.purged_at)}
              </p>
            </div>
            <Button
              size="small"
              data-restore
              aria-label={`Bring back “${task.title}”`}
              onClick={() => restore.mutate(task)}
            >
              <Undo2 aria-hidden className="size-4" />
              Bring back
            </Button>
          </li>
        ))}
      </ul>
      {trash.hasNextPage && (
        <div className="mt-4 text-center">
          <Button
            aria-disabled={trash.isFetchingNextPage}
            onClick={() => {
              keepFocus();
              trash.fetchNextPage();
            }}
          >
            {trash.isFetchingNextPage ? "Loading…" : "Show more"}
          </Button>
        </div>
      )}
    </section>
  );
}
