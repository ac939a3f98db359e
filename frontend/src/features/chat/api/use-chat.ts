"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { applyEvent, EMPTY_REPLY, type Reply } from "@/features/chat/model/reply";
import { type ApiProblem, asProblem } from "@/lib/api/problem";
import type { ChatMessage, ChatReply, ChatRequest, Conversation } from "@/lib/api/types";
import { timeZone } from "@/lib/dates";
import { ROOTS } from "@/lib/query-keys";
import { useRuntime } from "@/lib/runtime";
import { chatQueries } from "./queries";
import { streamChat } from "./stream";

/** What is being said right now, and is not yet in the stored conversation. */
export type Exchange = {
  /** The conversation it began in; undefined for a new one. */
  startedIn: string | undefined;
  prompt: string;
  reply: Reply;
  running: boolean;
  problem?: ApiProblem;
};

/** Talks with the assistant in the conversation `id`, or in a new one, whose id goes to `onStarted`. */
export function useChat(id: string | undefined, onStarted: (id: string) => void) {
  const runtime = useRuntime();
  const client = useQueryClient();
  const [exchange, setExchange] = useState<Exchange>();
  const keyOf = (id: string | undefined) => chatQueries.conversation(runtime, id).queryKey;
  const running = useRef<AbortController>(undefined);

  /** Ends what is running, without a word about it. */
  const drop = useCallback(() => {
    const abort = running.current;
    running.current = undefined;
    abort?.abort();
  }, []);
  useEffect(() => drop, [drop]);

  const send = async (message: string) => {
    if (running.current) return;
    const abort = new AbortController();
    running.current = abort;
    let current: Exchange = { startedIn: id, prompt: message, reply: EMPTY_REPLY, running: true };
    let conversation = id;
    const show = (changes: Partial<Exchange>) => {
      if (running.current !== abort) return; // dropped
      current = { ...current, ...changes };
      setExchange(current);
    };
    const finish = (outcome?: ApiProblem) => {
      if (outcome) show({ running: false, problem: outcome });
      // In one step with what is stored now: changes of the cache are rendered first, and the answer would be there
      // twice for a moment.
      else if (running.current === abort) flushSync(() => setExchange(undefined));
      if (running.current === abort) running.current = undefined;
      // A reading that began before this message knows nothing of it, and would pass for the latest.
      client.cancelQueries({ queryKey: keyOf(conversation) }, { revert: false });
      // Tools may have changed tasks, whether or not the answer came to its end.
      for (const queryKey of [
        ROOTS.lists,
        ROOTS.task,
        chatQueries.conversations(runtime).queryKey,
        keyOf(conversation),
      ]) {
        client.invalidateQueries({ queryKey });
      }
    };
    show({});
    const request: ChatRequest = { message, conversation_id: id, timezone: timeZone() };
    try {
      for await (const event of streamChat(runtime, request, abort.signal)) {
        show({ reply: applyEvent(current.reply, event) });
        if (event.event === "conversation") {
          conversation = event.data.conversation_id;
          client.setQueryData(keyOf(conversation), (old) => old ?? begun(event.data));
          if (!id && running.current === abort) onStarted(conversation);
        } else if (event.event === "done") {
          client.setQueryData(keyOf(conversation), (old) => old && extended(old, message, event.data));
          finish();
        }
      }
    } catch (error) {
      finish(asProblem(error));
    }
  };

  /** Forgets the exchange; the conversation then shows what the server has kept of it. */
  const dismiss = () => {
    drop();
    setExchange(undefined);
  };

  return { exchange, send, dismiss, stop: () => running.current?.abort() };
}

/** A conversation with an exchange added; until it is read again, the user's message has an id of its own. */
function extended(old: Conversation, prompt: string, reply: ChatReply): Conversation {
  const at = new Date().toISOString();
  const said: ChatMessage = {
    id: -Date.now(),
    role: "user",
    content: prompt,
    tool_calls: [],
    created_at: at,
  };
  return {
    ...old,
    messages: [...old.messages, said, ...reply.messages],
    // The stored ones last, as in Messages: one may have been answered while the rest was still coming.
    confirmations: [...reply.confirmations, ...old.confirmations],
  };
}

function begun({ conversation_id, title }: { conversation_id: string; title: string }): Conversation {
  const now = new Date().toISOString();
  return {
    ...{ id: conversation_id, title, created_at: now, updated_at: now },
    ...{ messages: [], confirmations: [], next_cursor: null },
  };
}
