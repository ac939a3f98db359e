"use client";

import { useTask, useUpdateTask } from "@/features/tasks/api/use-tasks";
import { asProblem } from "@/lib/api/problem";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { ErrorNote } from "@/ui/field";
import { TaskEditor } from "./task-editor";

/** One task on its own, for links straight to it. */
export function TaskDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const task = useTask(id);
  const update = useUpdateTask();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title="Task">
      {task.isPending && <p className="py-8 text-center text-muted">Loading…</p>}
      {task.isError && (
        <div className="grid gap-4">
          <ErrorNote>
            {asProblem(task.error).status === 404
              ? "This task is gone: it was deleted, or the link is wrong."
              : asProblem(task.error).message}
          </ErrorNote>
          <Button onClick={onClose}>Close</Button>
        </div>
      )}
      {task.isSuccess && (
        <TaskEditor
          task={task.data}
          onCancel={onClose}
          onSave={(changes) => {
            if (Object.keys(changes).length > 0) update.mutate({ task: task.data, changes });
            onClose();
          }}
        />
      )}
    </Dialog>
  );
}
