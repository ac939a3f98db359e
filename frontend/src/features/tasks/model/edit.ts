import type { Priority, Task, TaskUpdate } from "@/lib/api/types";
import { fromInputs, placeOf, toInputs } from "@/lib/dates";

/** The fields of a task that a form changes, as the form has them. */
type Values = {
  title: string;
  description: string;
  priority: Priority;
  due: { date: string; time: string };
  tags: string[];
  /** What stands after the tags, and is to be one. */
  tag: string;
};

/** A task that is being edited: what it was when that began, and what is to become of it. */
export type Edit = {
  opened: Task;
  values: Values;
  /** Whether `opened` is what somebody else has made of it meanwhile. */
  conflict?: boolean;
};

export const beginEdit = (task: Task): Edit => ({
  opened: task,
  values: {
    title: task.title,
    description: task.description,
    priority: task.priority,
    due: toInputs(task),
    tags: task.tags,
    tag: "",
  },
});

const MAX_TAGS = 20;
const normal = (text: string) => text.trim().replace(/^#/, "").toLowerCase();

/** `tags`, and those in `text`, which commas and spaces divide, each once. */
export function withTags(tags: string[], text: string): string[] {
  const added = text.split(/[\s,]+/).map(normal);
  return [...new Set([...tags, ...added])].filter(Boolean).slice(0, MAX_TAGS);
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Only what differs from what was opened; empty when nothing does. */
export function changesOf({ opened, values }: Edit): TaskUpdate {
  const { title, description, priority, due, tags, tag } = values;
  const edited = {
    title: title.trim(),
    description: description.trim(),
    priority,
    tags: withTags(tags, tag),
  };
  const changes: TaskUpdate = Object.fromEntries(
    Object.entries(edited).filter(([name, value]) => !same(opened[name as keyof Task], value)),
  );
  // A moment with seconds, set by another client, must not change only because the form knows minutes.
  return same(toInputs(opened), due) ? changes : { ...changes, ...fromInputs(due.date, due.time) };
}

/** The task as it will be after these changes. */
export function changed(task: Task, changes: TaskUpdate): Task {
  const due = "due_on" in changes || "due_at" in changes;
  return {
    ...task,
    ...(changes as Partial<Task>),
    ...(due && { due_on: changes.due_on ?? null, due_at: placeOf(changes) }),
  };
}

/** Whether somebody else has changed a field that `changes` are about, too. */
export function collides(opened: Task, current: Task, changes: TaskUpdate): boolean {
  return (Object.keys(changes) as (keyof Task & keyof TaskUpdate)[]).some(
    (name) => !same(opened[name], current[name]) && !same(changes[name], current[name]),
  );
}
