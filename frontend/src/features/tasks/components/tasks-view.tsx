"use client";

import dynamic from "next/dynamic";
import { useMemo, useRef } from "react";
import { useTaskList } from "@/features/tasks/api/use-tasks";
import { type Filters, readFilters, writeFilters } from "@/features/tasks/model/filters";
import { usePageParams } from "@/lib/page-params";
import { useShortcuts } from "@/lib/shortcuts";
import { useNow } from "@/lib/use-now";
import { FilterBar } from "./filter-bar";
import { ListStatus } from "./list-status";
import { QuickAdd } from "./quick-add";
import { TaskList } from "./task-list";

const TaskDialog = dynamic(() => import("./task-dialog").then((module) => module.TaskDialog));

/** The page of tasks. */
export function TasksView() {
  const now = useNow();
  const [params, changeParams] = usePageParams();
  const filters = useMemo(() => readFilters(params), [params]);
  const setFilters = (changes: Partial<Filters>) =>
    // What is typed letter by letter is no step of its own.
    changeParams(
      (now) => writeFilters({ ...readFilters(now), ...changes }, now),
      Object.keys(changes).join() === "q" ? "replace" : "push",
    );
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

  // Without a network the rows of the filters before are all there is, and belong to those.
  const unread = list.isPlaceholderData && list.fetchStatus === "paused";
  const tasks = unread ? [] : (list.data?.pages.flatMap((page) => page.items) ?? []);
  const total = list.data?.pages[0]?.total ?? 0;

  return (
    <div className="mx-auto w-full max-w-3xl px-4 py-3 sm:px-6 sm:py-4">
      {/* To be heard only: what is seen is the tasks. */}
      <h1 className="sr-only">Tasks</h1>
      <QuickAdd filters={filters} now={now} onShow={showLinked} ref={newTask} />
      <div className="mt-2">
        <FilterBar filters={filters} onChange={setFilters} searchRef={search} />
      </div>
      <ListStatus
        list={list}
        unread={unread}
        filters={filters}
        shown={tasks.length}
        total={total}
        onChange={setFilters}
      >
        <TaskList
          tasks={tasks}
          complete={!list.hasNextPage}
          filters={filters}
          now={now}
          onTag={(tag) => setFilters({ tag })}
        />
      </ListStatus>
      {linked && (
        <TaskDialog id={linked} onClose={() => showLinked(null)} onOpen={() => showLinked(linked)} />
      )}
    </div>
  );
}
