import type { Priority, Sort, Task, TaskListQuery } from "@/lib/api/types";

/** What the list shows. It lives in the address bar, so that it can be bookmarked and survives a reload. */
export type Filters = {
  status: "open" | "completed" | "all";
  q: string;
  priority: Priority | "";
  tag: string;
  sort: Sort;
};

export const DEFAULT_FILTERS: Filters = { status: "open", q: "", priority: "", tag: "", sort: "due_at" };

export const STATUSES = [
  { value: "open", label: "Open" },
  { value: "completed", label: "Done" },
  { value: "all", label: "All" },
] as const;

export const PRIORITIES = [
  { value: "high", label: "High" },
  { value: "medium", label: "Medium" },
  { value: "low", label: "Low" },
] as const;

export const SORTS = [
  { value: "due_at", label: "Due date" },
  { value: "-priority", label: "Priority" },
  { value: "-created_at", label: "Newest first" },
  { value: "title", label: "Title" },
] as const;

const known = <V extends string>(options: readonly { value: V }[], value: string | null): V | undefined =>
  options.find((option) => option.value === value)?.value;

/** Reads filters from an address; whatever is unknown falls back to the default. */
export function readFilters(params: URLSearchParams): Filters {
  return {
    status: known(STATUSES, params.get("status")) ?? DEFAULT_FILTERS.status,
    q: (params.get("q") ?? "").trim().slice(0, 200),
    priority: known(PRIORITIES, params.get("priority")) ?? "",
    tag: (params.get("tag") ?? "").trim().slice(0, 50),
    sort: known(SORTS, params.get("sort")) ?? DEFAULT_FILTERS.sort,
  };
}

/** Writes filters into an address, leaving out the defaults and keeping other parameters. */
export function writeFilters(filters: Filters, params: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const name of Object.keys(DEFAULT_FILTERS) as (keyof Filters)[]) {
    if (filters[name] === DEFAULT_FILTERS[name]) next.delete(name);
    else next.set(name, filters[name]);
  }
  return next;
}

/** The API's query for these filters. */
export function toQuery(filters: Filters): TaskListQuery {
  return {
    sort: filters.sort,
    ...(filters.status !== "all" && { status: filters.status }),
    ...(filters.q && { q: filters.q }),
    ...(filters.priority && { priority: filters.priority }),
    ...(filters.tag && { tag: filters.tag }),
  };
}

/** Whether anything narrows the list down, apart from its order. */
export function isFiltered({ status, q, priority, tag }: Filters): boolean {
  return status !== DEFAULT_FILTERS.status || Boolean(q || priority || tag);
}

/** Whether a list with these filters has this task. The server searches; here its first words do. */
export function isShown(task: Task, { status, q, priority, tag }: Filters): boolean {
  const text = [task.title, task.description, ...task.tags.map((tag) => `#${tag}`)].join("\n").toLowerCase();
  return (
    (status === "all" || task.completed === (status === "completed")) &&
    (!priority || task.priority === priority) &&
    (!tag || task.tags.includes(tag)) &&
    q
      .toLowerCase()
      .split(/\s+/)
      .every((word) => text.includes(word))
  );
}

const RANK: Record<Priority, number> = { low: 1, medium: 2, high: 3 };

/** The order in which the API lists tasks, for placing a task that it does not know yet. */
export function compareTasks(sort: Sort): (a: Task, b: Task) => number {
  const sign = sort.startsWith("-") ? -1 : 1;
  const far = sign * Number.MAX_SAFE_INTEGER;
  const due = (task: Task) => (task.due_at ? Date.parse(task.due_at) : far);
  const made = (a: Task, b: Task) => Date.parse(a.created_at) - Date.parse(b.created_at);
  const orders: Record<string, (a: Task, b: Task) => number> = {
    due_at: (a, b) => due(a) - due(b),
    priority: (a, b) => RANK[a.priority] - RANK[b.priority],
    title: (a, b) => a.title.localeCompare(b.title),
  };
  const order = orders[sort.replace("-", "")] ?? made;
  return (a, b) => sign * (order(a, b) || made(a, b));
}
