"use client";

import {
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useRuntime } from "@/components/providers";
import { useToast } from "@/components/ui/toast";
import { unwrap } from "../api/client";
import { asProblem } from "../api/problem";
import type { Task, TaskCreate, TaskUpdate } from "../api/types";
import { type Filters, toQuery } from "./filters";
import { changeLists, insertTask, LISTS, removeTask, replaceTask, type TaskList } from "./lists";

const PAGE_SIZE = 50;

const listKey = (filters: Filters) => [...LISTS, toQuery(filters)] as const;

/** The list for these filters, page by page. While other filters load, the old list stays on the screen. */
export function useTaskList(filters: Filters) {
  const { api } = useRuntime();
  return useInfiniteQuery({
    queryKey: listKey(filters),
    queryFn: ({ pageParam, signal }) => {
      const query = { ...toQuery(filters), limit: PAGE_SIZE, cursor: pageParam };
      return unwrap(api.GET("/api/tasks", { params: { query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

/** One task, for a link straight to it. */
export function useTask(id: string) {
  const { api } = useRuntime();
  return useQuery({
    queryKey: ["task", id],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/tasks/{task_id}", { params: { path: { task_id: id } }, signal })),
  });
}

/** With several changes on their way only the last one fetches: an older answer must not undo a newer change. */
function refetchWhenQuiet(client: QueryClient) {
  if (client.isMutating({ mutationKey: LISTS }) === 1) return client.invalidateQueries({ queryKey: LISTS });
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
    // No UUID: browsers make none for a page without TLS, such as http://todo.local.
    id: `${DRAFT}${++drafts}`,
    title: body.title,
    description: body.description ?? "",
    priority: body.priority ?? "medium",
    due_at: body.due_at ?? null,
    tags: body.tags ?? [],
    completed: false,
    completed_at: null,
    created_at: now,
    updated_at: now,
  };
}

/** Adds a task: it is in the current list at once, and leaves it again when the server refuses it. */
export function useCreateTask(filters: Filters) {
  const { api } = useRuntime();
  const client = useQueryClient();
  return useMutation({
    mutationKey: LISTS,
    mutationFn: (body: TaskCreate) => unwrap(api.POST("/api/tasks", { body })),
    onMutate: async (body) => {
      await client.cancelQueries({ queryKey: LISTS });
      const draft = draftOf(body);
      client.setQueryData<TaskList>(
        listKey(filters),
        (list) => list && insertTask(list, draft, filters.sort),
      );
      return draft;
    },
    onSuccess: (task, _body, draft) => {
      draftIds.set(task.id, draft.id);
      changeLists(client, (list) => replaceTask(list, draft.id, task));
    },
    onError: (_error, _body, draft) => draft && changeLists(client, (list) => removeTask(list, draft.id)),
    onSettled: () => refetchWhenQuiet(client),
  });
}

type TaskChange = {
  task: Task;
  changes: TaskUpdate;
  /** Called when the server refuses: to take back what was said of the change. */
  onRefused?: () => void;
};

/** Changes a task: visible at once; when the server refuses, the old state returns and a message says why. */
export function useUpdateTask() {
  const { api } = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  const put = (task: Task) => {
    changeLists(client, (list) => replaceTask(list, task.id, task));
    client.setQueryData(["task", task.id], task);
  };
  const mutation = useMutation({
    mutationKey: LISTS,
    mutationFn: ({ task, changes }: TaskChange) =>
      unwrap(api.PATCH("/api/tasks/{task_id}", { params: { path: { task_id: task.id } }, body: changes })),
    onMutate: async ({ task, changes }) => {
      await client.cancelQueries({ queryKey: LISTS });
      put({ ...task, ...(changes as Partial<Task>) });
    },
    onSuccess: put,
    onError: (error, { task, changes, onRefused }) => {
      put(task);
      onRefused?.();
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
