"use client";

import { useEdits } from "@/features/tasks/api/edits";
import { useTask, useUpdateTask } from "@/features/tasks/api/use-tasks";
import { changesOf, type Edit } from "@/features/tasks/model/edit";
import { asProblem } from "@/lib/api/problem";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { ErrorNote } from "@/ui/field";
import { TaskEditor } from "./task-editor";

type TaskDialogProps = { id: string; onClose: () => void; onOpen: () => void };

/** One task on its own, for links straight to it. */
export function TaskDialog({ id, onClose, onOpen }: TaskDialogProps) {
  const task = useTask(id);
  const update = useUpdateTask();
  const edits = useEdits();
  const close = () => {
    onClose();
    edits.discard(id, onOpen);
  };
  const save = (edit: Edit) => {
    onClose();
    const changes = changesOf(edit);
    if (Object.keys(changes).length === 0) edits.forget(id);
    else update.mutate({ task: edit.opened, changes, form: { edit, reopen: onOpen } });
  };
  // What is kept of it may be of a while ago: only without a network it has to do.
  const read = task.isFetchedAfterMount || task.fetchStatus === "paused";
  return (
    <Dialog open onOpenChange={(open) => !open && close()} title="Task">
      {!task.isError && !(task.isSuccess && read) && <p className="py-8 text-center text-muted">Loading…</p>}
      {task.isError && (
        <div className="grid gap-4">
          <ErrorNote>
            {[404, 422].includes(asProblem(task.error).status)
              ? "This task is gone: it was deleted, or the link is wrong."
              : asProblem(task.error).message}
          </ErrorNote>
          <Button onClick={close}>Close</Button>
        </div>
      )}
      {task.isSuccess && read && <TaskEditor task={task.data} onCancel={close} onSave={save} />}
    </Dialog>
  );
}
