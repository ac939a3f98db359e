import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { joined, type LoadedConversation } from "@/features/chat/model/history";
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
  /** A conversation: its latest messages, and those before them that were asked for. */
  conversation: ({ api, userId }: Runtime, id: string | undefined) => {
    const queryKey = [...ROOTS.chat, userId, "conversation", id] as const;
    return queryOptions({
      queryKey,
      queryFn: async ({ client, signal }) => {
        const latest = await unwrap(
          getConversation({ client: api, path: { conversation_id: id ?? "" }, signal }),
        );
        return joined(client.getQueryData<LoadedConversation>(queryKey), latest);
      },
    });
  },
};
