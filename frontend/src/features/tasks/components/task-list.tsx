"use client";

import { useLayoutEffect, useRef } from "react";
import { useEdits } from "@/features/tasks/api/edits";
import { isDraft, rowKey, useUpdateTask } from "@/features/tasks/api/use-tasks";
import { useDeleteTask } from "@/features/tasks/api/use-trash";
import { changesOf, type Edit } from "@/features/tasks/model/edit";
import type { Filters } from "@/features/tasks/model/filters";
import type { Task } from "@/lib/api/types";
import { DUE_GROUPS, dueGroup } from "@/lib/dates";
import { useDraft } from "@/lib/drafts";
import { useShortcuts } from "@/lib/shortcuts";
import { useLater } from "@/lib/use-later";
import { useToast } from "@/ui/toast";
import { TaskRow } from "./task-row";
import { useRowFocus } from "./use-row-focus";

const loadEditor = () => import("./task-editor");

type TaskListProps = {
  tasks: Task[];
  /** Whether these are all: else nobody knows how many there are of a group. */
  complete: boolean;
  filters: Filters;
  now: Date;
  onTag: (tag: string) => void;
};

/** Under headings by due date where the order asks for it, else as one group without a heading. */
function groups(
  tasks: Task[],
  filters: Filters,
  momentOf: (task: Task) => Date,
): { name: string; tasks: Task[] }[] {
  if (filters.sort !== "due_at" || filters.status !== "open") return [{ name: "", tasks }];
  return DUE_GROUPS.map((name) => ({
    name,
    tasks: tasks.filter((task) => dueGroup(task, momentOf(task)) === name),
  })).filter((group) => group.tasks.length > 0);
}

/** The rows, one of which may be open for editing, and the keys that work on the focused one. */
export function TaskList({ tasks, complete, filters, now, onTag }: TaskListProps) {
  // The task that is open, and since when.
  const [open, setOpen] = useDraft("open");
  const [editing = "", since = ""] = open.split(" ");
  const editor = useLater(loadEditor, editing !== "");
  const edits = useEdits();
  const root = useRef<HTMLDivElement>(null);
  const focus = useRowFocus(root, tasks);
  const update = useUpdateTask();
  const toast = useToast();
  const deleteTask = useDeleteTask(filters);

  const toggle = (task: Task) => {
    const completed = !task.completed;
    const done = { ...task, completed };
    const dismiss = completed
      ? toast({
          text: `Completed “${task.title}”`,
          undo: () => update.mutate({ task: done, changes: { completed: false } }),
        })
      : undefined;
    update.mutate({ task, changes: { completed }, onRefused: dismiss });
  };
  const remove = (task: Task) => deleteTask(task, () => focus.later(task.id));
  const edit = (id: string) => {
    if (editing && editing !== id) edits.discard(editing, () => edit(editing));
    setOpen(`${id} ${new Date().toISOString()}`);
  };
  const close = (id: string) => {
    setOpen("");
    focus.later(id);
  };
  const cancel = (id: string) => {
    close(id);
    edits.discard(id, () => edit(id));
  };
  const save = (edited: Edit) => {
    const { opened } = edited;
    const changes = changesOf(edited);
    if (Object.keys(changes).length === 0) edits.forget(opened.id);
    else update.mutate({ task: opened, changes, form: { edit: edited, reopen: () => edit(opened.id) } });
    close(opened.id);
  };
  // Whoever reloads the page while an edit is being saved need not save it again.
  const found = tasks.find((task) => task.id === editing);
  const restored = useRef(false);
  useLayoutEffect(() => {
    if (restored.current || (editing && !found)) return;
    restored.current = true;
    const kept = found && edits.read(found.id);
    if (!kept || Object.keys(changesOf({ ...kept, opened: found })).length > 0) return;
    edits.forget(found.id);
    setOpen("");
  });
  // The row of an open form stays where it is, though its time passes meanwhile.
  const momentOf = (task: Task) => (task.id === editing ? new Date(since) : now);

  const onFocused = (act: (task: Task) => void) => () => {
    const task = tasks.find((candidate) => candidate.id === focus.current());
    if (task && !isDraft(task)) act(task);
  };
  const next = () => focus.move(1);
  const previous = () => focus.move(-1);
  useShortcuts({
    j: next,
    k: previous,
    ArrowDown: next,
    ArrowUp: previous,
    e: onFocused((task) => edit(task.id)),
    x: onFocused(toggle),
    Delete: onFocused(remove),
    Backspace: onFocused(remove), // the key that has this name on a Mac
  });

  return (
    <div ref={root}>
      {groups(tasks, filters, momentOf).map((group) => (
        <div key={group.name} className="mt-3 first:mt-0">
          {group.name && (
            <h2
              className={`border-line border-b px-1 py-1.5 font-semibold text-sm ${group.name === "Overdue" ? "text-danger" : ""}`}
            >
              {group.name}{" "}
              {complete && <span className="ml-1 font-normal text-muted">{group.tasks.length}</span>}
            </h2>
          )}
          <ul className="divide-y divide-line">
            {group.tasks.map((task) => (
              <li key={rowKey(task)} data-task={task.id}>
                {editor && editing === task.id ? (
                  <editor.TaskEditor
                    task={task}
                    className="my-1 rounded-xl border border-line bg-surface p-4 shadow-card"
                    onSave={save}
                    onCancel={() => cancel(task.id)}
                  />
                ) : (
                  <TaskRow
                    task={task}
                    now={now}
                    onToggle={() => toggle(task)}
                    onEdit={() => edit(task.id)}
                    onDelete={() => remove(task)}
                    onTag={onTag}
                  />
                )}
              </li>
            ))}
          </ul>
        </div>
      ))}
    </div>
  );
}
