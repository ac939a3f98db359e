import type { QueryClient } from "@tanstack/react-query";
import type { TaskList } from "@/features/tasks/model/lists";
import type { Task } from "@/lib/api/types";
import { taskQueries } from "./queries";

/** Applies `change` to every cached list. */
export function changeLists(client: QueryClient, change: (list: TaskList) => TaskList): void {
  client.setQueriesData<TaskList>({ queryKey: taskQueries.lists() }, (list) => list && change(list));
}

/** A task as any cached list has it. */
export function cachedTask(client: QueryClient, id: string): Task | undefined {
  for (const [, list] of client.getQueriesData<TaskList>({ queryKey: taskQueries.lists() })) {
    const found = list?.pages.flatMap((page) => page.items).find((task) => task.id === id);
    if (found) return found;
  }
}

/** Every tag in any cached list, in alphabetical order. */
export function cachedTags(client: QueryClient): string[] {
  const tags = new Set<string>();
  for (const [, list] of client.getQueriesData<TaskList>({ queryKey: taskQueries.lists() })) {
    for (const page of list?.pages ?? [])
      for (const task of page.items) for (const tag of task.tags) tags.add(tag);
  }
  return [...tags].sort((a, b) => a.localeCompare(b));
}
