"use client";

import clsx from "clsx";
import { AlignLeft, Check, Flag, Pencil, Tag, Trash2 } from "lucide-react";
import { isDraft } from "@/features/tasks/api/use-tasks";
import type { Priority, Task } from "@/lib/api/types";
import { type DueTone, describeDue } from "@/lib/dates";
import { IconButton } from "@/ui/button";

const RING: Record<Priority, string> = {
  high: "border-danger bg-danger-tint text-danger",
  medium: "border-warn text-warn",
  low: "border-control text-muted",
};

const DUE: Record<DueTone, string> = {
  overdue: "text-danger",
  today: "text-good",
  soon: "text-accent",
  later: "text-muted",
};

type TaskRowProps = {
  task: Task;
  now: Date;
  onToggle: () => void;
  onEdit: () => void;
  onDelete: () => void;
  onTag: (tag: string) => void;
};

/** One task in the list. */
export function TaskRow({ task, now, onToggle, onEdit, onDelete, onTag }: TaskRowProps) {
  const due = describeDue(task, now);
  const draft = isDraft(task);
  return (
    <div
      className={clsx(
        "group -mx-2 flex min-h-11 items-center gap-1 rounded-xl pr-2 hover:bg-hover",
        draft && "opacity-60",
      )}
    >
      <label className="relative grid size-10 shrink-0 cursor-pointer place-items-center">
        <input
          type="checkbox"
          checked={task.completed}
          disabled={draft}
          onChange={onToggle}
          aria-label={`Complete “${task.title}”`}
          className="peer absolute inset-0 cursor-pointer appearance-none rounded-xl"
        />
        <span
          aria-hidden
          className={clsx(
            "pointer-events-none grid size-5.5 place-items-center rounded-full border-2 transition-colors",
            task.completed ? "border-accent bg-accent text-on-accent" : RING[task.priority],
          )}
        >
          <Check
            strokeWidth={3.5}
            className={clsx("size-3.5", task.completed ? "opacity-100" : "opacity-0 group-hover:opacity-60")}
          />
        </span>
      </label>
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 py-1 md:flex-nowrap">
        <button
          type="button"
          dir="auto"
          data-task-title
          aria-disabled={draft} // not disabled: it can have the focus
          onClick={draft ? undefined : onEdit}
          className={clsx(
            "min-w-1/2 flex-1 rounded text-start leading-6 [overflow-wrap:anywhere]",
            task.completed && "text-muted line-through",
          )}
        >
          {task.title}
        </button>
        {due && (
          <span
            className={clsx(
              "shrink-0 text-[0.8125rem] md:order-last",
              task.completed ? "text-muted" : DUE[due.tone],
            )}
          >
            <span className="sr-only">Due</span> {due.label}
          </span>
        )}
        <div className="flex min-w-0 flex-wrap items-center gap-x-3 text-[0.8125rem] text-muted empty:hidden max-md:basis-full md:flex-nowrap">
          {task.priority !== "medium" && (
            <span
              // On a phone the ring says it, and one line is enough.
              className={clsx(
                "inline-flex items-center gap-1 max-md:sr-only",
                task.priority === "high" && "text-danger",
              )}
            >
              <Flag aria-hidden className="size-3.5" />
              {task.priority === "high" ? "High" : "Low"}
              <span className="sr-only">priority</span>
            </span>
          )}
          {task.tags.map((tag) => (
            <button
              key={tag}
              type="button"
              aria-label={`Show only tasks tagged ${tag}`}
              onClick={() => onTag(tag)}
              className="inline-flex min-h-6 min-w-0 items-center gap-1 rounded hover:text-text hover:underline"
            >
              <Tag aria-hidden className="size-3.5 shrink-0" />
              <span dir="auto" className="max-w-40 truncate">
                {tag}
              </span>
            </button>
          ))}
          {task.description && (
            <span className="inline-flex min-w-0 items-center gap-1">
              <AlignLeft aria-hidden className="size-3.5 shrink-0" />
              <span dir="auto" className="max-w-60 truncate md:max-w-32">
                {task.description}
              </span>
            </span>
          )}
        </div>
      </div>
      <div className="print:hidden flex transition-opacity md:opacity-0 md:focus-within:opacity-100 md:group-hover:opacity-100">
        <IconButton
          label={`Edit “${task.title}”`}
          onClick={onEdit}
          disabled={draft}
          className="max-md:hidden"
        >
          <Pencil aria-hidden className="size-4" />
        </IconButton>
        <IconButton label={`Delete “${task.title}”`} onClick={onDelete} disabled={draft}>
          <Trash2 aria-hidden className="size-4" />
        </IconButton>
      </div>
    </div>
  );
}
