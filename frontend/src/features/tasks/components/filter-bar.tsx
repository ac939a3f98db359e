"use client";

import { useQueryClient } from "@tanstack/react-query";
import clsx from "clsx";
import { Search, SlidersHorizontal, X } from "lucide-react";
import { type Ref, useEffect, useState } from "react";
import { cachedTags } from "@/features/tasks/api/cache";
import { DEFAULT_FILTERS, type Filters, PRIORITIES, SORTS, STATUSES } from "@/features/tasks/model/filters";
import { IconButton } from "@/ui/button";
import { controlClass } from "@/ui/field";
import { Select } from "@/ui/select";

const SEARCH_DELAY_MS = 250;

type FilterBarProps = {
  filters: Filters;
  onChange: (changes: Partial<Filters>) => void;
  searchRef: Ref<HTMLInputElement>;
};

/** Search, filters and order of the list. */
export function FilterBar({ filters, onChange, searchRef }: FilterBarProps) {
  const tags = cachedTags(useQueryClient());
  const chosen = Boolean(filters.priority || filters.tag || filters.sort !== DEFAULT_FILTERS.sort);
  const [wanted, setOpen] = useState<boolean>();
  const open = wanted ?? chosen;
  if (filters.tag && !tags.includes(filters.tag)) tags.unshift(filters.tag);
  return (
    <search className="print:hidden grid gap-2">
      <div className="flex items-center gap-2">
        <fieldset className="flex shrink-0 rounded-lg border border-line bg-surface p-0.5">
          <legend className="sr-only">Show</legend>
          {STATUSES.map(({ value, label }) => (
            <button
              key={value}
              type="button"
              aria-pressed={filters.status === value}
              onClick={() => onChange({ status: value })}
              className={clsx(
                "h-7.5 rounded-md px-2.5 font-medium text-sm transition-colors sm:px-3",
                filters.status === value
                  ? "bg-tint text-accent forced-colors:underline"
                  : "text-muted hover:text-text",
              )}
            >
              {label}
            </button>
          ))}
        </fieldset>
        <SearchField value={filters.q} onChange={(q) => onChange({ q })} ref={searchRef} />
        <IconButton
          label="Filters and order"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className={chosen ? "bg-tint text-accent" : "border border-line"}
        >
          <SlidersHorizontal aria-hidden className="size-4" />
        </IconButton>
      </div>
      {open && (
        <div className="flex flex-wrap items-center gap-2">
          <Select
            label="Priority"
            value={filters.priority}
            onChoose={(priority) => onChange({ priority })}
            options={[
              { value: "", label: "Any priority" },
              ...PRIORITIES.map(({ value, label }) => ({ value, label: `${label} priority` })),
            ]}
          />
          {tags.length > 0 && (
            <Select
              label="Tag"
              value={filters.tag}
              onChoose={(tag) => onChange({ tag })}
              options={[
                { value: "", label: "Any tag" },
                ...tags.map((tag) => ({ value: tag, label: `#${tag}` })),
              ]}
              className="max-w-40"
            />
          )}
          <Select
            label="Order"
            value={filters.sort}
            onChoose={(sort) => onChange({ sort })}
            options={SORTS.map(({ value, label }) => ({ value, label: `By ${label.toLowerCase()}` }))}
          />
        </div>
      )}
    </search>
  );
}

type SearchFieldProps = { value: string; onChange: (value: string) => void; ref: Ref<HTMLInputElement> };

function SearchField({ value, onChange, ref }: SearchFieldProps) {
  const [text, setText] = useState(value);
  const [applied, setApplied] = useState(value);
  if (applied !== value) {
    // The address was changed elsewhere (Back, "Clear filters"): the field follows.
    setApplied(value);
    if (text.trim() !== value) setText(value);
  }
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => onChange(text.trim()), SEARCH_DELAY_MS);
    return () => clearTimeout(timer);
  });
  const clear = () => {
    setText("");
    onChange("");
  };
  return (
    <div className="relative min-w-0 flex-1">
      <Search aria-hidden className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted" />
      <input
        ref={ref}
        type="search"
        aria-label="Search tasks"
        aria-keyshortcuts="/"
        placeholder="Search"
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          if (text) clear();
          else event.currentTarget.blur();
        }}
        className={clsx(controlClass, "h-9 w-full min-w-0 border-line pr-8 pl-9 text-sm")}
      />
      {text && (
        <button
          type="button"
          aria-label="Clear the search"
          onClick={clear}
          className="absolute top-1 right-1 grid size-7 place-items-center rounded-md text-muted hover:bg-hover hover:text-text"
        >
          <X aria-hidden className="size-4" />
        </button>
      )}
    </div>
  );
}
