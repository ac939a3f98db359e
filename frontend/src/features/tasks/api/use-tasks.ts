"use client";

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { changed, type Edit } from "@/features/tasks/model/edit";
import { type Filters, isShown } from "@/features/tasks/model/filters";
import { insertTask, removeTask, replaceTask, type TaskList } from "@/features/tasks/model/lists";
import { asProblem } from "@/lib/api/problem";
import type { Task, TaskCreate, TaskUpdate } from "@/lib/api/types";
import { placeOf } from "@/lib/dates";
import { useRuntime } from "@/lib/runtime";
import { useToast } from "@/ui/toast";
import { cachedTask, changeLists } from "./cache";
import { useEdits } from "./edits";
import { taskQueries } from "./queries";
import { refetchWhenQuiet } from "./refetch";
import { CHANGES, currentOf, IN_ORDER, sendChange, sendNew } from "./send";

export function useTaskList(filters: Filters) {
  return useInfiniteQuery(taskQueries.list(useRuntime(), filters));
}

export function useTask(id: string) {
  return useQuery({ ...taskQueries.task(useRuntime(), id), refetchOnMount: "always" });
}

/** Ids of tasks that the server has not confirmed yet. */
const DRAFT = "draft:";
export const isDraft = (task: Task) => task.id.startsWith(DRAFT);

/** Which draft a task was: its row stays the same element when the server confirms it, and so keeps the focus. */
const draftIds = new Map<string, string>();
export const rowKey = (task: Task) => draftIds.get(task.id) ?? task.id;

let drafts = 0;

function draftOf(body: TaskCreate): Task {
  const now = new Date().toISOString();
  return {
    // No UUID: browsers make none for a page without TLS, such as http://todo.local. Some are of an earlier page.
    id: `${DRAFT}${Date.now()}-${++drafts}`,
    title: body.title,
    description: body.description ?? "",
    priority: body.priority ?? "medium",
    due_at: placeOf(body),
    due_on: body.due_on ?? null,
    due_zone: body.due_zone ?? null,
    tags: body.tags ?? [],
    completed: false,
    completed_at: null,
    created_at: now,
    updated_at: now,
    version: 0,
  };
}

/** `key` names the request, so that it may be sent twice; `onRefused` is called when the server refuses, also where the page has been left meanwhile. */
type NewTask = { body: TaskCreate; key: string; onRefused: (error: unknown) => void };

/** Adds a task: it is in the current list at once, and leaves it again when the server refuses it. */
export function useCreateTask(filters: Filters, onShow: (id: string) => void) {
  const runtime = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationKey: CHANGES.create,
    scope: IN_ORDER,
    mutationFn: (added: NewTask) => sendNew(runtime, added),
    onMutate: async ({ body }) => {
      await client.cancelQueries({ queryKey: taskQueries.lists() });
      const draft = draftOf(body);
      client.setQueryData<TaskList>(taskQueries.list(runtime, filters).queryKey, (list) =>
        list && isShown(draft, filters) ? insertTask(list, draft, filters.sort) : list,
      );
      return draft;
    },
    onSuccess: (task, _body, draft) => {
      draftIds.set(task.id, draft.id);
      changeLists(client, (list) => replaceTask(list, draft.id, task));
    },
    onError: (error, { onRefused }, draft) => {
      if (draft) changeLists(client, (list) => removeTask(list, draft.id));
      onRefused(error);
    },
    onSettled: async (task) => {
      await refetchWhenQuiet(client);
      // Further down than what is loaded, or not what the filters ask for.
      if (task && !cachedTask(client, task.id))
        toast({
          text: `Added “${task.title}”. It is not in the part of the list that is shown.`,
          action: { label: "Show", hint: "Open the new task", run: () => onShow(task.id) },
        });
    },
  });
}

type TaskChange = {
  task: Task;
  changes: TaskUpdate;
  /** Called when the server refuses: to take back what was said of the change. */
  onRefused?: () => void;
  /** Where the change comes from a form: it is refused if it would take back what was changed since `opened`. */
  form?: { edit: Edit; reopen: () => void };
};

/** Changes a task: visible at once; when the server refuses, the old state returns and a message says why. */
export function useUpdateTask() {
  const runtime = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  const edits = useEdits();
  const put = (task: Task) => {
    changeLists(client, (list) => replaceTask(list, task.id, task));
    client.setQueryData(taskQueries.task(runtime, task.id).queryKey, task);
  };
  const mutation = useMutation({
    mutationKey: CHANGES.update,
    scope: IN_ORDER,
    mutationFn: (change: TaskChange) => sendChange(runtime, change),
    onMutate: async ({ task, changes }) => {
      await client.cancelQueries({ queryKey: taskQueries.lists() });
      const before = cachedTask(client, task.id) ?? task;
      put(changed(before, changes));
      return before;
    },
    onSuccess: (task, { form }) => {
      put(task);
      if (form) edits.saved(form.edit);
    },
    onError: (error, { task, changes, onRefused, form }, before) => {
      const current = currentOf(error);
      put(current ?? before ?? task);
      onRefused?.();
      if (form) {
        if (current) edits.rebase(form.edit, current);
        else edits.keep(form.edit);
        form.reopen();
        if (!current) toast({ tone: "error", text: `Not saved. ${asProblem(error).message}` });
        return;
      }
      toast({
        tone: "error",
        text: `“${task.title}” was not changed. ${asProblem(error).message}`,
        action: {
          label: "Try again",
          hint: "Repeat the change",
          run: () => mutation.mutate({ task, changes }),
        },
      });
    },
    onSettled: () => refetchWhenQuiet(client),
  });
  return mutation;
}
