"use client";

import { useQueryClient } from "@tanstack/react-query";
import clsx from "clsx";
import { Search, X } from "lucide-react";
import { type Ref, useEffect, useState } from "react";
import { cachedTags } from "@/features/tasks/api/cache";
import { type Filters, PRIORITIES, SORTS, STATUSES } from "@/features/tasks/model/filters";
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
  if (filters.tag && !tags.includes(filters.tag)) tags.unshift(filters.tag);
  return (
    <search className="grid gap-2">
      <SearchField value={filters.q} onChange={(q) => onChange({ q })} ref={searchRef} />
      <div className="flex flex-wrap items-center gap-2">
        <fieldset className="mr-auto flex rounded-lg border border-line bg-surface p-0.5">
          <legend className="sr-only">Show</legend>
          {STATUSES.map(({ value, label }) => (
            <button
              key={value}
              type="button"
              aria-pressed={filters.status === value}
              onClick={() => onChange({ status: value })}
              className={clsx(
                "h-8 rounded-md px-3 font-medium text-sm transition-colors",
                filters.status === value ? "bg-tint text-accent" : "text-muted hover:text-text",
              )}
            >
              {label}
            </button>
          ))}
        </fieldset>
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
    <div className="relative">
      <Search aria-hidden className="pointer-events-none absolute top-3 left-3.5 size-4 text-muted" />
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
        className={clsx(controlClass, "h-10 w-full border-line pr-10 pl-10 text-sm")}
      />
      {text && (
        <button
          type="button"
          aria-label="Clear the search"
          onClick={clear}
          className="absolute top-1.5 right-1.5 grid size-7 place-items-center rounded-md text-muted hover:bg-hover hover:text-text"
        >
          <X aria-hidden className="size-4" />
        </button>
      )}
    </div>
  );
}
