"use client";

import { queryOptions, useQuery } from "@tanstack/react-query";
import { unwrap } from "./api/client";
import { me } from "./api/generated";
import { type Runtime, useRuntime } from "./runtime";

const sessionQuery = ({ api, userId }: Runtime) =>
  queryOptions({
    queryKey: ["session", userId],
    queryFn: ({ signal }) => unwrap(me({ client: api, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The account that is logged in. */
export function useSession() {
  return useQuery(sessionQuery(useRuntime()));
}
