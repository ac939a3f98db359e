"use client";

import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { type Filters, isShown } from "@/features/tasks/model/filters";
import { insertTask, removeTask, type TaskList } from "@/features/tasks/model/lists";
import { asProblem } from "@/lib/api/problem";
import type { Task } from "@/lib/api/types";
import { useRuntime } from "@/lib/runtime";
import { useToast } from "@/ui/toast";
import { changeLists } from "./cache";
import { taskQueries } from "./queries";
import { refetchWhenQuiet } from "./refetch";
import { CHANGES, IN_ORDER, sendDeletion, sendRestoration } from "./send";

/** What was deleted in the last 30 days. */
export function useTrash() {
  return useInfiniteQuery(taskQueries.trash(useRuntime()));
}

/** Takes a task out of the trash, and shows it at once in the list with these filters. */
export function useRestoreTask(filters?: Filters) {
  const runtime = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationKey: CHANGES.restore,
    scope: IN_ORDER,
    mutationFn: (task: Task) => sendRestoration(runtime, task),
    onMutate: async (task) => {
      await client.cancelQueries({ queryKey: taskQueries.lists() });
      if (filters && isShown(task, filters))
        client.setQueryData<TaskList>(
          taskQueries.list(runtime, filters).queryKey,
          (list) => list && insertTask(removeTask(list, task.id), task, filters.sort),
        );
    },
    onError: (error, task) => {
      changeLists(client, (list) => removeTask(list, task.id));
      toast({ tone: "error", text: `“${task.title}” was not brought back. ${asProblem(error).message}` });
    },
    onSettled: () => {
      client.invalidateQueries({ queryKey: taskQueries.trash(runtime).queryKey });
      return refetchWhenQuiet(client);
    },
  });
}

/** Puts a task into the trash, at once; `onUndo` is called when it is taken out again by the message's button. */
export function useDeleteTask(filters: Filters) {
  const runtime = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  const restore = useRestoreTask(filters);
  const mutation = useMutation({
    mutationKey: CHANGES.remove,
    scope: IN_ORDER,
    mutationFn: (removed: { task: Task; dismiss: () => void }) => sendDeletion(runtime, removed),
    onMutate: async ({ task }) => {
      await client.cancelQueries({ queryKey: taskQueries.lists() });
      changeLists(client, (list) => removeTask(list, task.id));
    },
    onError: (error, { task, dismiss }) => {
      dismiss();
      toast({ tone: "error", text: `“${task.title}” was not deleted. ${asProblem(error).message}` });
    },
    onSettled: () => {
      client.invalidateQueries({ queryKey: taskQueries.trash(runtime).queryKey });
      return refetchWhenQuiet(client);
    },
  });
  return (task: Task, onUndo: () => void) => {
    const undo = () => {
      restore.mutate(task);
      onUndo();
    };
    mutation.mutate({ task, dismiss: toast({ text: `Deleted “${task.title}”`, undo }) });
  };
}
