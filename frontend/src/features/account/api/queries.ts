import { queryOptions } from "@tanstack/react-query";
import { unwrap } from "@/lib/api/client";
import { listSessions, listTokens } from "@/lib/api/generated";
import type { Runtime } from "@/lib/runtime";

/** Every query of the account, and the keys under which the cache has its answer. */
export const accountQueries = {
  /** Where the user is logged in, what was used last first. */
  sessions: ({ api, userId }: Runtime) =>
    queryOptions({
      queryKey: ["account", userId, "sessions"] as const,
      queryFn: ({ signal }) => unwrap(listSessions({ client: api, signal })),
      staleTime: 0,
    }),
  /** The API tokens, the newest first. */
  tokens: ({ api, userId }: Runtime) =>
    queryOptions({
      queryKey: ["account", userId, "tokens"] as const,
      queryFn: ({ signal }) => unwrap(listTokens({ client: api, signal })),
      staleTime: 0,
    }),
};
