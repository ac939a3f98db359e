"use client";

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRuntime } from "@/components/providers";
import { useToast } from "@/components/ui/toast";
import { unwrap } from "../api/client";
import { asProblem } from "../api/problem";
import type { Confirmation, Conversation } from "../api/types";
import { LISTS } from "../tasks/lists";

export const CONVERSATIONS = ["conversations"] as const;
export const conversationKey = (id: string | undefined) => ["conversation", id] as const;

/** The user's conversations, the latest first, page by page. */
export function useConversations() {
  const { api } = useRuntime();
  return useInfiniteQuery({
    queryKey: CONVERSATIONS,
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/api/chat/conversations", { params: { query: { limit: 30, cursor: pageParam } }, signal }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** Which assistant answers; undefined until the list of conversations is there, which says so. */
export function useAssistantKind() {
  return useConversations().data?.pages[0]?.assistant;
}

/** A whole conversation; not fetched again while `paused`, that is, while an answer is added to it. */
export function useConversation(id: string | undefined, paused: boolean) {
  const { api } = useRuntime();
  return useQuery({
    queryKey: conversationKey(id),
    queryFn: ({ signal }) => {
      const path = { conversation_id: id ?? "" };
      return unwrap(api.GET("/api/chat/conversations/{conversation_id}", { params: { path }, signal }));
    },
    enabled: id !== undefined && !paused,
  });
}

/** Deletes a conversation; the tasks stay. */
export function useDeleteConversation(onDeleted: (id: string) => void) {
  const { api } = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationFn: (id: string) => {
      const path = { conversation_id: id };
      return unwrap(api.DELETE("/api/chat/conversations/{conversation_id}", { params: { path } }));
    },
    onSuccess: (_data, id) => {
      onDeleted(id);
      client.removeQueries({ queryKey: conversationKey(id) });
    },
    onError: (error) => toast({ tone: "error", text: `Not deleted. ${asProblem(error).message}` }),
    onSettled: () => client.invalidateQueries({ queryKey: CONVERSATIONS }),
  });
}

/** Carries out or drops what the assistant proposed in a conversation. */
export function useAnswerConfirmation(conversationId: string | undefined) {
  const { api } = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationFn: ({ confirmation, confirmed }: { confirmation: Confirmation; confirmed: boolean }) => {
      const params = { path: { confirmation_id: confirmation.id } };
      return unwrap(
        confirmed
          ? api.POST("/api/chat/confirmations/{confirmation_id}", { params })
          : api.DELETE("/api/chat/confirmations/{confirmation_id}", { params }),
      );
    },
    onSuccess: (resolved) => {
      client.setQueryData<Conversation>(
        conversationKey(conversationId),
        (old) =>
          old && {
            ...old,
            // While its answer is still coming, the proposal is not yet there.
            confirmations: [...old.confirmations.filter((c) => c.id !== resolved.id), resolved],
          },
      );
      client.invalidateQueries({ queryKey: LISTS });
      client.removeQueries({ queryKey: ["task", resolved.task_id] });
    },
    onError: (error, { confirmation }) =>
      toast({
        tone: "error",
        text: `“${confirmation.task_title}” was not deleted. ${asProblem(error).message}`,
      }),
    onSettled: () => client.invalidateQueries({ queryKey: conversationKey(conversationId) }),
  });
}
