"use client";

import { queryOptions, useQuery } from "@tanstack/react-query";
import { type Api, unwrap } from "./api/client";
import { me } from "./api/generated";
import { useRuntime } from "./runtime";

const sessionQuery = (api: Api) =>
  queryOptions({
    queryKey: ["session"],
    queryFn: ({ signal }) => unwrap(me({ client: api, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The account that is logged in. */
export function useSession() {
  const { api } = useRuntime();
  return useQuery(sessionQuery(api));
}
