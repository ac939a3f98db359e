import type { InfiniteData } from "@tanstack/react-query";
import type { Sort, Task, TaskPage } from "@/lib/api/types";
import { compareTasks } from "./filters";

/** Changes to the pages of a task list. */

export type TaskList = InfiniteData<TaskPage, string | undefined>;

/** Only the first page knows how many tasks there are. */
const plus = (total: number | null, change: number) => (total === null ? null : total + change);

const mapItems = (list: TaskList, change: (items: Task[]) => Task[], totalChange = 0): TaskList => ({
  ...list,
  pages: list.pages.map((page) => ({
    ...page,
    items: change(page.items),
    total: plus(page.total, totalChange),
  })),
});

/** Replaces the task with the id `id`. */
export function replaceTask(list: TaskList, id: string, task: Task): TaskList {
  return mapItems(list, (items) => items.map((item) => (item.id === id ? task : item)));
}

export function removeTask(list: TaskList, id: string): TaskList {
  const present = list.pages.some((page) => page.items.some((item) => item.id === id));
  return present ? mapItems(list, (items) => items.filter((item) => item.id !== id), -1) : list;
}

/** Puts a new task where the list's order wants it, among the pages that are loaded. */
export function insertTask(list: TaskList, task: Task, sort: Sort): TaskList {
  const compare = compareTasks(sort);
  let placed = false;
  const pages = list.pages.map((page, index) => {
    const total = plus(page.total, 1);
    if (placed) return { ...page, total };
    const at = page.items.findIndex((item) => compare(task, item) < 0);
    const last = index === list.pages.length - 1;
    if (at < 0 && !last) return { ...page, total };
    placed = true;
    return { ...page, total, items: page.items.toSpliced(at < 0 ? page.items.length : at, 0, task) };
  });
  return { ...list, pages };
}
