import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type Filters, toQuery } from "@/features/tasks/model/filters";
import { unwrap } from "@/lib/api/client";
import { getTask, listTasks, listTrash } from "@/lib/api/generated";
import { ROOTS } from "@/lib/query-keys";
import type { Runtime } from "@/lib/runtime";

const PAGE_SIZE = 50;

/** Every query of tasks, and the keys under which the cache has its answer. */
export const taskQueries = {
  lists: () => ROOTS.lists,
  /** The list for these filters, page by page. While other filters load, the old list stays on the screen. */
  list: ({ api, userId }: Runtime, filters: Filters) =>
    infiniteQueryOptions({
      queryKey: [...ROOTS.lists, userId, toQuery(filters)] as const,
      queryFn: ({ pageParam, signal }) => {
        const query = { ...toQuery(filters), limit: PAGE_SIZE, cursor: pageParam };
        return unwrap(listTasks({ client: api, query, signal }));
      },
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      placeholderData: keepPreviousData,
    }),
  /** The trash, page by page, what was deleted last first. */
  trash: ({ api, userId }: Runtime) =>
    infiniteQueryOptions({
      queryKey: [...ROOTS.trash, userId] as const,
      queryFn: ({ pageParam, signal }) =>
        unwrap(listTrash({ client: api, query: { limit: PAGE_SIZE, cursor: pageParam }, signal })),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      staleTime: 0,
    }),
  /** One task, for a link straight to it. */
  task: ({ api, userId }: Runtime, id: string) =>
    queryOptions({
      queryKey: [...ROOTS.task, userId, id] as const,
      queryFn: ({ signal }) => unwrap(getTask({ client: api, path: { task_id: id }, signal })),
    }),
};
