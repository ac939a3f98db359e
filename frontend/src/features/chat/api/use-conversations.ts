"use client";

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { withEarlier } from "@/features/chat/model/history";
import { unwrap } from "@/lib/api/client";
import { cancelConfirmation, confirm, deleteConversation, getConversation } from "@/lib/api/generated";
import { asProblem } from "@/lib/api/problem";
import type { Confirmation } from "@/lib/api/types";
import { ROOTS } from "@/lib/query-keys";
import { useRuntime } from "@/lib/runtime";
import { useToast } from "@/ui/toast";
import { chatQueries } from "./queries";

export function useConversations() {
  return useInfiniteQuery(chatQueries.conversations(useRuntime()));
}

/** Which assistant answers; undefined until the list of conversations is there, which says so. */
export function useAssistantKind() {
  return useConversations().data?.pages[0]?.assistant;
}

/** A conversation; not fetched again while `paused`, that is, while an answer is added to it. */
export function useConversation(id: string | undefined, paused: boolean) {
  const runtime = useRuntime();
  return useQuery({ ...chatQueries.conversation(runtime, id), enabled: id !== undefined && !paused });
}

/** Reads the messages before those that there are; `onRead` is called before they are shown. */
export function useEarlier(id: string | undefined, onRead: () => void) {
  const runtime = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  const { queryKey } = chatQueries.conversation(runtime, id);
  return useMutation({
    mutationFn: (cursor: string) =>
      unwrap(
        getConversation({ client: runtime.api, path: { conversation_id: id ?? "" }, query: { cursor } }),
      ),
    onSuccess: (page, cursor) => {
      onRead();
      client.setQueryData(queryKey, (old) => (old?.next_cursor === cursor ? withEarlier(old, page) : old));
    },
    onError: (error) => toast({ tone: "error", text: `Not read. ${asProblem(error).message}` }),
  });
}

/** Deletes a conversation; the tasks stay. */
export function useDeleteConversation(onDeleted: (id: string) => void) {
  const runtime = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(deleteConversation({ client: runtime.api, path: { conversation_id: id } })),
    onSuccess: (_data, id) => {
      onDeleted(id);
      client.removeQueries({ queryKey: chatQueries.conversation(runtime, id).queryKey });
    },
    onError: (error) => toast({ tone: "error", text: `Not deleted. ${asProblem(error).message}` }),
    onSettled: () => client.invalidateQueries({ queryKey: chatQueries.conversations(runtime).queryKey }),
  });
}

/** Carries out or drops what the assistant proposed in a conversation. */
export function useAnswerConfirmation(conversationId: string | undefined) {
  const runtime = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationFn: ({ confirmation, confirmed }: { confirmation: Confirmation; confirmed: boolean }) => {
      const answer = confirmed ? confirm : cancelConfirmation;
      return unwrap(answer({ client: runtime.api, path: { confirmation_id: confirmation.id } }));
    },
    onSuccess: (resolved) => {
      client.setQueryData(
        chatQueries.conversation(runtime, conversationId).queryKey,
        (old) =>
          old && {
            ...old,
            // While its answer is still coming, the proposal is not yet there.
            confirmations: [...old.confirmations.filter((c) => c.id !== resolved.id), resolved],
          },
      );
      client.invalidateQueries({ queryKey: ROOTS.lists });
      client.removeQueries({ queryKey: [...ROOTS.task, runtime.userId, resolved.task_id] });
    },
    onError: (error, { confirmation }) =>
      toast({
        tone: "error",
        text: `“${confirmation.task_title}” was not deleted. ${asProblem(error).message}`,
      }),
    onSettled: () =>
      client.invalidateQueries({ queryKey: chatQueries.conversation(runtime, conversationId).queryKey }),
  });
}
