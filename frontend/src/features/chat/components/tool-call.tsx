"use client";

import clsx from "clsx";
import { CircleAlert, CircleCheck, ListTodo, LoaderCircle, Pencil, Plus, Trash2 } from "lucide-react";
import Link from "next/link";
import type { LiveCall } from "@/features/chat/model/reply";
import type { Confirmation, Task } from "@/lib/api/types";
import { describeDue } from "@/lib/dates";
import { ConfirmationCard } from "./confirmation-card";

const TOOLS: Record<string, { icon: typeof Plus; doing: string; done: string; failed: string }> = {
  add_task: { icon: Plus, doing: "Adding a task…", done: "Added", failed: "Not added" },
  list_tasks: {
    icon: ListTodo,
    doing: "Looking through your tasks…",
    done: "Found",
    failed: "Could not look",
  },
  update_task: { icon: Pencil, doing: "Changing a task…", done: "Changed", failed: "Not changed" },
  complete_task: {
    icon: CircleCheck,
    doing: "Completing a task…",
    done: "Completed",
    failed: "Not completed",
  },
  delete_task: { icon: Trash2, doing: "Preparing a deletion…", done: "To be deleted", failed: "Not deleted" },
};
const UNKNOWN = { icon: CircleAlert, doing: "Working…", done: "Done", failed: "Not done" };
/** What is wrong with them is told to the model, in words that are not for people. */
const INVALID = "invalid_arguments";
const MAX_LISTED = 8;

type ToolCallViewProps = {
  call: LiveCall;
  confirmations: Confirmation[];
  conversationId: string | undefined;
};

/** What the assistant did with which task, with links to the tasks. */
export function ToolCallView({ call, confirmations, conversationId }: ToolCallViewProps) {
  const tool = TOOLS[call.name] ?? UNKNOWN;
  const { result } = call;
  const confirmation = confirmations.findLast((candidate) => candidate.id === result?.confirmation_id);
  if (confirmation) return <ConfirmationCard confirmation={confirmation} conversationId={conversationId} />;
  // A proposal that was replaced by a later one for the same task has nothing to say any more.
  if (result?.status === "confirmation_required") return null;

  const failed = result?.status === "error";
  const Icon = !result ? LoaderCircle : failed ? CircleAlert : tool.icon;
  const reopened = call.name === "complete_task" && result?.tasks[0]?.completed === false;
  const listing = call.name === "list_tasks" && !failed;
  const words = !result ? tool.doing : failed ? tool.failed : reopened ? "Reopened" : tool.done;
  const count = result?.total ?? result?.tasks.length ?? 0;
  return (
    <div
      className={clsx(
        "max-w-full rounded-xl border px-3 py-2 text-sm",
        failed ? "border-danger bg-danger-tint text-danger" : "border-line bg-surface text-muted",
      )}
    >
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1.5">
        <Icon aria-hidden className={clsx("size-4 shrink-0", !result && "animate-spin")} />
        <span>
          {words}
          {listing && result && ` ${count} ${count === 1 ? "task" : "tasks"}`}
          {failed && result.code !== INVALID && `: ${result.detail}`}
        </span>
        {result?.tasks.slice(0, MAX_LISTED).map((task) => (
          <TaskChip key={task.id} task={task} />
        ))}
        {count > MAX_LISTED && (
          <Link href="/tasks" className="text-accent underline underline-offset-2">
            and {count - MAX_LISTED} more
          </Link>
        )}
      </div>
    </div>
  );
}

function TaskChip({ task }: { task: Task }) {
  const due = describeDue(task, new Date())?.label;
  return (
    <Link
      href={`/tasks?task=${task.id}`}
      className="inline-flex max-w-full items-center gap-1.5 rounded-md bg-tint px-2 py-0.5 text-accent hover:underline"
    >
      <span dir="auto" className={clsx("truncate", task.completed && "line-through")}>
        {task.title}
      </span>
      {due && <span className="shrink-0 text-muted text-xs">{due}</span>}
    </Link>
  );
}
