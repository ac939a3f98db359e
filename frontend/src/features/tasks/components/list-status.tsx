"use client";

import { CircleCheckBig, CloudOff, ListTodo, type LucideIcon, SearchX } from "lucide-react";
import { type MouseEvent, type ReactNode, useRef } from "react";
import type { useTaskList } from "@/features/tasks/api/use-tasks";
import { DEFAULT_FILTERS, type Filters, isFiltered } from "@/features/tasks/model/filters";
import { asProblem } from "@/lib/api/problem";
import { useFocusOnMore } from "@/lib/use-focus-on-more";
import { Button } from "@/ui/button";

type ListStatusProps = {
  list: ReturnType<typeof useTaskList>;
  filters: Filters;
  /** Whether this list cannot be read for want of a network. */
  unread: boolean;
  shown: number;
  total: number;
  onChange: (changes: Partial<Filters>) => void;
  children: ReactNode;
};

/** Moves the focus to the list from a button that goes away. */
const toList = ({ currentTarget }: MouseEvent) => currentTarget.closest("section")?.focus();

/** Whatever there is to say about the list: loading, failed, empty, how many, and more to load. */
export function ListStatus({ list, filters, unread, shown, total, onChange, children }: ListStatusProps) {
  const summary = list.isPending ? "Loading tasks" : `${total} ${total === 1 ? "task" : "tasks"}`;
  const section = useRef<HTMLElement>(null);
  const keepFocus = useFocusOnMore(section, "[data-task-title]", list.hasNextPage);
  const showMore = () => {
    keepFocus();
    list.fetchNextPage();
  };
  return (
    <section
      ref={section}
      aria-label="Task list"
      aria-busy={list.isFetching}
      tabIndex={-1}
      className="mt-1.5 outline-none"
    >
      <p aria-live="polite" className="sr-only">
        {summary}
      </p>
      {list.isPending && !list.isError && <Skeleton />}
      {list.isError && shown === 0 && (
        <Note
          icon={CloudOff}
          title="Your tasks could not be loaded"
          text={asProblem(list.error).message}
          alert
        >
          <Button
            disabled={list.isFetching}
            onClick={(event) => {
              toList(event);
              list.refetch();
            }}
          >
            Try again
          </Button>
        </Note>
      )}
      {list.isError && shown > 0 && (
        <p
          role="alert"
          className="mb-2 flex items-center gap-3 rounded-lg bg-warn-tint px-3 py-2 text-sm text-warn"
        >
          <span className="flex-1">This list may be out of date. {asProblem(list.error).message}</span>
          <Button size="small" onClick={() => list.refetch()}>
            Try again
          </Button>
        </p>
      )}
      {unread && (
        <Note icon={CloudOff} title="Not to be read offline" text="It is shown when you are back online." />
      )}
      {list.isSuccess && !unread && shown === 0 && <Empty filters={filters} onChange={onChange} />}
      {children}
      {list.hasNextPage && !unread && (
        <div className="mt-4 text-center">
          {/* Not disabled: that would take the focus away from it. */}
          <Button aria-disabled={list.isFetchingNextPage} onClick={showMore}>
            {list.isFetchingNextPage ? "Loading…" : "Show more"}
          </Button>
        </div>
      )}
    </section>
  );
}

function Empty({ filters, onChange }: Pick<ListStatusProps, "filters" | "onChange">) {
  if (!isFiltered(filters)) {
    return (
      <Note
        icon={CircleCheckBig}
        title="All clear"
        text="Nothing is open. Add a task above, or enjoy the quiet."
      />
    );
  }
  if (filters.status !== "open" && !filters.q && !filters.priority && !filters.tag) {
    const text =
      filters.status === "completed" ? "Tasks that you complete appear here." : "Add your first task above.";
    return <Note icon={ListTodo} title="Nothing here yet" text={text} />;
  }
  const { q, priority, tag } = DEFAULT_FILTERS;
  return (
    <Note icon={SearchX} title="No task matches" text="Try other words or fewer filters.">
      <Button
        onClick={(event) => {
          toList(event);
          onChange({ q, priority, tag, status: "all" });
        }}
      >
        Clear filters
      </Button>
    </Note>
  );
}

type NoteProps = { icon: LucideIcon; title: string; text: string; alert?: boolean; children?: ReactNode };

function Note({ icon: Icon, title, text, alert, children }: NoteProps) {
  return (
    <div
      role={alert ? "alert" : undefined}
      className="grid animate-fade justify-items-center px-4 py-14 text-center"
    >
      <span className="grid size-14 place-items-center rounded-full bg-tint text-accent">
        <Icon aria-hidden className="size-7" />
      </span>
      <h2 className="mt-4 font-semibold">{title}</h2>
      <p className="mt-1 mb-4 max-w-sm text-pretty text-muted text-sm">{text}</p>
      {children}
    </div>
  );
}

const SKELETON_WIDTHS = ["w-2/5", "w-3/5", "w-1/3", "w-1/2"];

function Skeleton() {
  return (
    <div aria-hidden className="grid gap-5 px-2 py-3">
      {SKELETON_WIDTHS.map((width) => (
        <div key={width} className="flex animate-pulse items-center gap-4">
          <span className="size-5.5 rounded-full bg-line" />
          <span className={`h-4 rounded bg-line ${width}`} />
        </div>
      ))}
    </div>
  );
}
