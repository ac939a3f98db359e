import { collides, type Edit } from "@/features/tasks/model/edit";
import { unwrap } from "@/lib/api/client";
import { createTask, deleteTask, restoreTask, updateTask } from "@/lib/api/generated";
import { asProblem } from "@/lib/api/problem";
import type { Task, TaskCreate, TaskUpdate } from "@/lib/api/types";
import { ROOTS } from "@/lib/query-keys";
import type { Runtime } from "@/lib/runtime";

/** What kinds of changes there are, by the names under which they wait for a network. */
export const CHANGES = {
  create: [...ROOTS.lists, "create"],
  update: [...ROOTS.lists, "update"],
  remove: [...ROOTS.lists, "remove"],
  restore: [...ROOTS.lists, "restore"],
} as const;

/** One after the other: what is brought back must have been deleted before. */
export const IN_ORDER = { id: "tasks" };

/** The draft in which the line for a new task is. */
export const NEW_TASK = "new-task";

export type NewTask = { body: TaskCreate; key: string };

export const sendNew = ({ api }: Runtime, { body, key }: NewTask) =>
  unwrap(createTask({ client: api, body, headers: { "Idempotency-Key": key } }));

/** With `form` the change is refused if it would take back what was changed since the form was opened. */
export type Change = { task: Task; changes: TaskUpdate; form?: { edit: Edit } };

export async function sendChange({ api }: Runtime, { task, changes, form }: Change): Promise<Task> {
  const send = (version?: number) =>
    unwrap(
      updateTask({
        client: api,
        path: { task_id: task.id },
        body: changes,
        headers: version === undefined ? {} : { "If-Match": `"${version}"` },
      }),
    );
  if (!form) return send();
  try {
    return await send(form.edit.opened.version);
  } catch (error) {
    const current = currentOf(error);
    if (!current || collides(form.edit.opened, current, changes)) throw error;
    return send(current.version); // somebody else changed something else
  }
}

/** What a task is now that was expected to be another version. */
export function currentOf(error: unknown): Task | undefined {
  const { code, current } = asProblem(error);
  return code === "task_changed" ? (current as Task) : undefined;
}

export const sendDeletion = ({ api }: Runtime, { task }: { task: Task }) =>
  unwrap(deleteTask({ client: api, path: { task_id: task.id } })).catch((error) => {
    if (asProblem(error).status !== 404) throw error; // already gone is as good
  });

export const sendRestoration = ({ api }: Runtime, task: Task) =>
  unwrap(restoreTask({ client: api, path: { task_id: task.id } }));
