"use client";

import { lazy, Suspense, useLayoutEffect, useRef } from "react";
import type { Exchange } from "@/features/chat/api/use-chat";
import { useEarlier } from "@/features/chat/api/use-conversations";
import type { LoadedConversation } from "@/features/chat/model/history";
import type { Turn } from "@/features/chat/model/reply";
import type { ChatMessage, Confirmation } from "@/lib/api/types";
import { Button } from "@/ui/button";
import { ErrorNote } from "@/ui/field";
import { ToolCallView } from "./tool-call";
import { useFollowEnd } from "./use-follow-end";

// Much code: the page does not wait for it, and shows the text as it is until it is there.
const Markdown = lazy(() => import("./markdown").then((module) => ({ default: module.Markdown })));

type MessagesProps = {
  conversation: LoadedConversation | undefined;
  loading: boolean;
  exchange: Exchange | undefined;
  onRetry: (prompt: string) => void;
};

type Said = Turn & Pick<ChatMessage, "role">;

/** A conversation: what is stored, and after it the answer that is being given. */
export function Messages({ conversation, loading, exchange, onRetry }: MessagesProps) {
  const end = useRef<HTMLDivElement>(null);
  const before = conversation?.before ?? 0;
  const length =
    (conversation?.messages.length ?? 0) - before + JSON.stringify(exchange?.reply.turns ?? "").length;
  useFollowEnd(end, length, `${conversation?.id} ${exchange?.prompt}`);
  const { list, ...earlier } = useKeptPlace(conversation?.id, before);

  // The stored ones last: they know what became of a proposal.
  const confirmations = [...(exchange?.reply.confirmations ?? []), ...(conversation?.confirmations ?? [])];
  const stored: Said[] = conversation?.messages ?? [];
  const saying: Said[] = exchange
    ? [
        { role: "user", content: exchange.prompt, tool_calls: [] },
        ...exchange.reply.turns.map((turn): Said => ({ role: "assistant", ...turn })),
      ]
    : [];
  const conversationId = exchange?.reply.conversationId ?? conversation?.id;
  const last = stored.at(-1);
  return (
    <>
      {loading && <p className="py-10 text-center text-muted">Loading the conversation…</p>}
      {conversation?.next_cursor && (
        <div className="mb-4 text-center">
          <Button
            size="small"
            aria-disabled={earlier.reading}
            onClick={() => conversation.next_cursor && earlier.read(conversation.next_cursor)}
          >
            {earlier.reading ? "Loading…" : "Show earlier messages"}
          </Button>
        </div>
      )}
      <ol ref={list} key={conversationId} className="grid grid-cols-1 gap-4">
        {[...stored, ...saying].map((message, index) => (
          <li
            // What is being said keeps its place when it becomes a stored message, and so its elements with the focus;
            // and all keep theirs when earlier ones come before them.
            key={index - before}
            tabIndex={index === 0 ? -1 : undefined}
            aria-busy={(exchange?.running && index >= stored.length) || undefined}
          >
            {message.role === "user" ? (
              <UserMessage text={message.content} />
            ) : (
              <AssistantTurn turn={message} confirmations={confirmations} conversationId={conversationId} />
            )}
          </li>
        ))}
        {exchange?.running && exchange.reply.turns.length === 0 && (
          <li>
            <Thinking />
          </li>
        )}
        {exchange?.problem && (
          <li className="grid justify-items-start gap-2">
            <ErrorNote>{exchange.problem.message}</ErrorNote>
            <Button size="small" onClick={() => onRetry(exchange.prompt)}>
              Send again
            </Button>
          </li>
        )}
      </ol>
      {/* The growing text would be read out piece by piece: screen readers get the whole answer once. */}
      <p className="sr-only" role="status">
        {exchange?.running ? "The assistant is answering…" : last?.role === "assistant" ? last.content : ""}
      </p>
      <div ref={end} className="scroll-mb-32" />
    </>
  );
}

/** Reads earlier messages, of which there are `before`, and keeps in its place what is on the screen meanwhile. */
function useKeptPlace(id: string | undefined, before: number) {
  const list = useRef<HTMLOListElement>(null);
  const kept = useRef<{ first: Element; top: number }>(undefined);
  const earlier = useEarlier(id, () => {
    const first = list.current?.firstElementChild;
    if (first) kept.current = { first, top: first.getBoundingClientRect().top };
  });
  useLayoutEffect(() => {
    if (!kept.current) return;
    const { first, top } = kept.current;
    kept.current = undefined;
    scrollBy(0, first.getBoundingClientRect().top - top);
    // The button went away with the last page.
    if (document.activeElement === document.body)
      (list.current?.firstElementChild as HTMLElement | null)?.focus({ preventScroll: true });
  }, [before]);
  const read = (cursor: string) => !earlier.isPending && earlier.mutate(cursor);
  return { list, read, reading: earlier.isPending };
}

function UserMessage({ text }: { text: string }) {
  return (
    <div className="flex justify-end pl-10">
      <span className="sr-only">You: </span>
      <p
        dir="auto"
        className="min-w-0 whitespace-pre-wrap rounded-2xl rounded-br-md bg-accent px-4 py-2.5 text-on-accent [overflow-wrap:anywhere]"
      >
        {text}
      </p>
    </div>
  );
}

type AssistantTurnProps = {
  turn: Turn;
  confirmations: Confirmation[];
  conversationId: string | undefined;
};

function AssistantTurn({ turn, confirmations, conversationId }: AssistantTurnProps) {
  return (
    <div className="grid min-w-0 grid-cols-1 justify-items-start gap-2 pr-4 sm:pr-10">
      <span className="sr-only">Assistant: </span>
      {turn.content && (
        <div className="min-w-0 max-w-full rounded-2xl rounded-bl-md border border-line bg-surface px-4 py-2.5">
          <Suspense fallback={<p className="whitespace-pre-line [overflow-wrap:anywhere]">{turn.content}</p>}>
            <Markdown text={turn.content} />
          </Suspense>
        </div>
      )}
      {turn.tool_calls.map((call) => (
        <ToolCallView
          key={call.id}
          call={call}
          confirmations={confirmations}
          conversationId={conversationId}
        />
      ))}
    </div>
  );
}

function Thinking() {
  return (
    <div
      aria-hidden
      className="flex w-fit gap-1.5 rounded-2xl rounded-bl-md border border-line bg-surface px-4 py-4"
    >
      <span className="size-2 animate-pulse rounded-full bg-control" />
      <span className="size-2 animate-pulse rounded-full bg-control [animation-delay:150ms]" />
      <span className="size-2 animate-pulse rounded-full bg-control [animation-delay:300ms]" />
    </div>
  );
}
