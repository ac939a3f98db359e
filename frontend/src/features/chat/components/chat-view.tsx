"use client";

import { History, MessageCirclePlus } from "lucide-react";
import dynamic from "next/dynamic";
import { useRef, useState } from "react";
import { useChat } from "@/features/chat/api/use-chat";
import { useAssistantKind, useConversation } from "@/features/chat/api/use-conversations";
import { asProblem } from "@/lib/api/problem";
import { useDraft } from "@/lib/drafts";
import { usePageParams } from "@/lib/page-params";
import { useShortcuts } from "@/lib/shortcuts";
import { Button } from "@/ui/button";
import { ErrorNote } from "@/ui/field";
import { Composer } from "./composer";
import { ConversationList } from "./conversation-list";
import { Messages } from "./messages";
import { Welcome } from "./welcome";

const Dialog = dynamic(() => import("@/ui/dialog").then((module) => module.Dialog));

/** The page of the assistant: the conversation, and the earlier ones beside it. */
export function ChatView() {
  const [params, changeParams] = usePageParams();
  const id = params.get("c") ?? undefined;
  const open = (next: string | undefined) => changeParams(() => new URLSearchParams(next ? { c: next } : {}));
  const chat = useChat(id, open);
  const [history, setHistory] = useState(false);
  const [draft, setDraft] = useDraft("message");
  const input = useRef<HTMLTextAreaElement>(null);
  const kind = useAssistantKind();

  const { exchange } = chat;
  const shown =
    exchange && (exchange.startedIn === id || exchange.reply.conversationId === id) ? exchange : undefined;
  const conversation = useConversation(id, Boolean(shown));
  const gone = conversation.isLoadingError && asProblem(conversation.error).status === 404;

  // Where there is no keyboard, the focus would bring up one on the screen, over what there is to read.
  const toInput = () => matchMedia("(pointer: fine)").matches && input.current?.focus();
  useShortcuts({ n: () => select(undefined), "/": () => input.current?.focus() });

  const select = (next: string | undefined) => {
    chat.dismiss();
    open(next);
    setHistory(false);
    toInput();
  };
  const send = (text: string) => {
    setDraft("");
    void chat.send(text);
    toInput();
  };

  const list = <ConversationList current={id} onSelect={select} />;
  return (
    <div className="mx-auto flex w-full max-w-5xl flex-1 gap-8 px-4 sm:px-6">
      <aside
        aria-label="Conversations"
        className="print:hidden sticky top-14 hidden h-[calc(100dvh-3.5rem)] w-60 shrink-0 flex-col py-6 lg:flex"
      >
        {list}
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="flex items-center justify-between gap-2 pt-6 pb-4 sm:pt-8">
          <h1 className="font-bold text-2xl tracking-tight">Assistant</h1>
          <div className="flex gap-2 lg:hidden">
            <Button size="small" onClick={() => setHistory(true)}>
              <History aria-hidden className="size-4" />
              History
            </Button>
            {id && (
              <Button size="small" onClick={() => select(undefined)}>
                <MessageCirclePlus aria-hidden className="size-4" />
                New
              </Button>
            )}
          </div>
        </div>
        {/* There before its text is: screen readers read out what comes into it. */}
        <div role="status">
          {kind === "offline" && (
            <p className="mb-4 rounded-lg bg-warn-tint px-3 py-2.5 text-sm text-warn">
              You are talking to the built-in offline assistant. It understands plain commands such as “add
              buy milk tomorrow” or “what is open?”.
            </p>
          )}
        </div>
        <div className="flex-1 pb-4">
          {conversation.isLoadingError && !shown ? (
            <div className="grid justify-items-start gap-3">
              <ErrorNote>
                {gone ? "This conversation is gone." : asProblem(conversation.error).message}
              </ErrorNote>
              <Button onClick={() => (gone ? select(undefined) : conversation.refetch())}>
                {gone ? "Start a new one" : "Try again"}
              </Button>
            </div>
          ) : id || shown ? (
            <Messages
              conversation={conversation.data}
              loading={conversation.isLoading}
              exchange={shown}
              onRetry={(text) => {
                chat.dismiss();
                send(text);
              }}
            />
          ) : (
            <Welcome onChoose={send} />
          )}
        </div>
        <Composer
          ref={input}
          text={draft}
          onChange={setDraft}
          onSend={send}
          running={exchange?.running ?? false}
          onStop={chat.stop}
        />
      </div>
      {history && (
        <Dialog open onOpenChange={setHistory} title="Conversations">
          {list}
        </Dialog>
      )}
    </div>
  );
}
