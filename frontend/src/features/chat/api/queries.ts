import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { unwrap } from "@/lib/api/client";
import { getConversation, listConversations } from "@/lib/api/generated";
import { ROOTS } from "@/lib/query-keys";
import type { Runtime } from "@/lib/runtime";

const PAGE_SIZE = 30;

/** Every query of the assistant, and the keys under which the cache has its answer. */
export const chatQueries = {
  /** The user's conversations, the latest first, page by page. */
  conversations: ({ api, userId }: Runtime) =>
    infiniteQueryOptions({
      queryKey: [...ROOTS.chat, userId, "conversations"] as const,
      queryFn: ({ pageParam, signal }) =>
        unwrap(listConversations({ client: api, query: { limit: PAGE_SIZE, cursor: pageParam }, signal })),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
    }),
  /** A whole conversation. */
  conversation: ({ api, userId }: Runtime, id: string | undefined) =>
    queryOptions({
      queryKey: [...ROOTS.chat, userId, "conversation", id] as const,
      queryFn: ({ signal }) =>
        unwrap(getConversation({ client: api, path: { conversation_id: id ?? "" }, signal })),
    }),
};
