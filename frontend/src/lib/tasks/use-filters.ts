"use client";

import { useSearchParams } from "next/navigation";
import { useMemo } from "react";
import { type Filters, readFilters, writeFilters } from "./filters";

/** Puts parameters into the address without asking the server for the page again. */
export function replaceParams(params: URLSearchParams): void {
  const query = params.toString();
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
}

/** The filters in the address, and a function that changes some of them. */
export function useFilters(): [Filters, (changes: Partial<Filters>) => void] {
  const params = useSearchParams();
  const filters = useMemo(() => readFilters(new URLSearchParams(params)), [params]);
  const change = (changes: Partial<Filters>) => {
    // Read again: several changes may come before React has rendered the first.
    const current = new URLSearchParams(location.search);
    replaceParams(writeFilters({ ...readFilters(current), ...changes }, current));
  };
  return [filters, change];
}
