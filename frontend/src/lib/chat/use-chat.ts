"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useRuntime } from "@/components/providers";
import { type ApiProblem, asProblem } from "../api/problem";
import type { ChatMessage, ChatRequest, Conversation } from "../api/types";
import { LISTS } from "../tasks/lists";
import { applyEvent, EMPTY_REPLY, type Reply } from "./reply";
import { streamChat } from "./stream";
import { CONVERSATIONS, conversationKey } from "./use-conversations";

/** What is being said right now, and is not yet in the stored conversation. */
export type Exchange = {
  /** The conversation it began in; undefined for a new one. */
  startedIn: string | undefined;
  prompt: string;
  reply: Reply;
  running: boolean;
  problem?: ApiProblem;
};

/** Which assistant answered last; the API says so with each answer. */
const ASSISTANT = ["assistant"];

function stored(exchange: Exchange, messages: ChatMessage[]): ChatMessage[] {
  const now = new Date().toISOString();
  // Until the conversation is read again, the user's message has no id of the server's.
  return [
    { id: -Date.now(), role: "user", content: exchange.prompt, tool_calls: [], created_at: now },
    ...messages,
  ];
}

/** Talks with the assistant in the conversation `id`, or in a new one, whose id goes to `onStarted`. */
export function useChat(id: string | undefined, onStarted: (id: string) => void) {
  const { apiUrl } = useRuntime();
  const client = useQueryClient();
  const [exchange, setExchange] = useState<Exchange>();
  const running = useRef<AbortController>(undefined);

  useEffect(() => () => running.current?.abort(), []);

  const send = async (message: string) => {
    if (running.current) return;
    const abort = new AbortController();
    running.current = abort;
    let current: Exchange = { startedIn: id, prompt: message, reply: EMPTY_REPLY, running: true };
    const show = (changes: Partial<Exchange>) => {
      current = { ...current, ...changes };
      if (!abort.signal.aborted || changes.problem) setExchange(current);
    };
    show({});
    const request: ChatRequest = {
      message,
      conversation_id: id,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    };
    let conversation = id;
    try {
      for await (const event of streamChat(apiUrl, request, abort.signal)) {
        show({ reply: applyEvent(current.reply, event) });
        if (event.event === "conversation") {
          conversation = event.data.conversation_id;
          client.setQueryData(ASSISTANT, event.data.assistant);
          client.setQueryData<Conversation>(conversationKey(conversation), (old) => old ?? begun(event.data));
          if (!id) onStarted(conversation);
        } else if (event.event === "done") {
          const { messages, confirmations } = event.data;
          client.setQueryData<Conversation>(
            conversationKey(conversation),
            (old) =>
              old && {
                ...old,
                messages: [...old.messages, ...stored(current, messages)],
                confirmations: [...old.confirmations, ...confirmations],
              },
          );
          setExchange(undefined);
        }
      }
    } catch (error) {
      show({ running: false, problem: asProblem(error) });
    } finally {
      running.current = undefined;
      // Tools may have changed tasks, whether or not the answer came to its end.
      client.invalidateQueries({ queryKey: LISTS });
      client.invalidateQueries({ queryKey: ["task"] });
      client.invalidateQueries({ queryKey: CONVERSATIONS });
    }
  };

  /** Forgets the exchange, and shows what the server has kept of it. */
  const dismiss = async () => {
    running.current?.abort();
    const conversation = exchange?.reply.conversationId ?? exchange?.startedIn;
    if (conversation) await client.refetchQueries({ queryKey: conversationKey(conversation) });
    setExchange(undefined);
  };

  return { exchange, send, dismiss, stop: () => running.current?.abort() };
}

function begun({ conversation_id, title }: { conversation_id: string; title: string }): Conversation {
  const now = new Date().toISOString();
  return { id: conversation_id, title, created_at: now, updated_at: now, messages: [], confirmations: [] };
}

/** Whether the built-in assistant answered last; undefined before the first answer of this visit. */
export function useAssistantKind() {
  return useQueryClient().getQueryData<"offline" | "openai">(ASSISTANT);
}
