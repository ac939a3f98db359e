"use client";

import dynamic from "next/dynamic";
import { useMemo, useRef } from "react";
import { useTaskList } from "@/features/tasks/api/use-tasks";
import { type Filters, readFilters, writeFilters } from "@/features/tasks/model/filters";
import { usePageParams } from "@/lib/page-params";
import { useShortcuts } from "@/lib/shortcuts";
import { useMounted } from "@/lib/use-mounted";
import { useNow } from "@/lib/use-now";
import { FilterBar } from "./filter-bar";
import { ListStatus } from "./list-status";
import { QuickAdd } from "./quick-add";
import { TaskList } from "./task-list";

const TaskDialog = dynamic(() => import("./task-dialog").then((module) => module.TaskDialog));

/** The page of tasks. */
export function TasksView() {
  const now = useNow();
  const mounted = useMounted();
  const [params, changeParams] = usePageParams();
  const filters = useMemo(() => readFilters(params), [params]);
  const setFilters = (changes: Partial<Filters>) =>
    changeParams((now) => writeFilters({ ...readFilters(now), ...changes }, now));
  const list = useTaskList(filters);
  const newTask = useRef<HTMLInputElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const linked = params.get("task");

  useShortcuts({
    n: () => newTask.current?.focus(),
    "/": () => search.current?.focus(),
  });

  const showLinked = (id: string | null) =>
    changeParams((now) => {
      const next = new URLSearchParams(now);
      if (id) next.set("task", id);
      else next.delete("task");
      return next;
    });

  const tasks = list.data?.pages.flatMap((page) => page.items) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;

  return (
    <div className="mx-auto w-full max-w-3xl px-4 py-6 sm:px-6 sm:py-8">
      <div className="mb-4 flex items-baseline justify-between gap-4">
        <h1 className="font-bold text-2xl tracking-tight">Tasks</h1>
        {/* Only the browser knows the user's time zone and language. */}
        <p className="text-muted text-sm">
          {mounted && now.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" })}
        </p>
      </div>
      <QuickAdd filters={filters} now={now} ref={newTask} />
      <div className="mt-4">
        <FilterBar filters={filters} onChange={setFilters} searchRef={search} />
      </div>
      <ListStatus list={list} filters={filters} shown={tasks.length} total={total} onChange={setFilters}>
        <TaskList tasks={tasks} filters={filters} now={now} onTag={(tag) => setFilters({ tag })} />
      </ListStatus>
      {linked && (
        <TaskDialog id={linked} onClose={() => showLinked(null)} onOpen={() => showLinked(linked)} />
      )}
    </div>
  );
}
