"use client";

import clsx from "clsx";
import { MessageCirclePlus, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useRef, useState } from "react";
import { useConversations, useDeleteConversation } from "@/features/chat/api/use-conversations";
import { asProblem } from "@/lib/api/problem";
import { useFocusOnMore } from "@/lib/use-focus-on-more";
import { Button, IconButton } from "@/ui/button";

const Dialog = dynamic(() => import("@/ui/dialog").then((module) => module.Dialog));

type ConversationListProps = { current: string | undefined; onSelect: (id: string | undefined) => void };

/** The earlier conversations: open one, delete one, or begin a new one. */
export function ConversationList({ current, onSelect }: ConversationListProps) {
  const list = useConversations();
  const [deleting, setDeleting] = useState<{ id: string; title: string }>();
  const remove = useDeleteConversation((id) => id === current && onSelect(undefined));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const rows = useRef<HTMLUListElement>(null);
  const keepFocus = useFocusOnMore(rows, "li > :first-child", list.hasNextPage);
  const showOlder = () => {
    keepFocus();
    list.fetchNextPage();
  };
  return (
    <>
      <Button className="mb-3 w-full shrink-0" onClick={() => onSelect(undefined)}>
        <MessageCirclePlus aria-hidden className="size-4" />
        New conversation
      </Button>
      {list.isError && <p className="px-2 text-danger text-sm">{asProblem(list.error).message}</p>}
      {list.isSuccess && items.length === 0 && (
        <p className="px-2 text-muted text-sm">Your conversations appear here.</p>
      )}
      <ul ref={rows} className="-mx-1 min-h-0 flex-1 overflow-y-auto px-1">
        {items.map((item) => (
          <li key={item.id} className="group flex items-center">
            <button
              type="button"
              aria-current={item.id === current ? "true" : undefined}
              dir="auto"
              onClick={() => onSelect(item.id)}
              className={clsx(
                "h-9 min-w-0 flex-1 truncate rounded-lg px-3 text-left text-sm",
                item.id === current
                  ? "bg-tint font-medium text-accent forced-colors:underline"
                  : "hover:bg-hover",
              )}
            >
              {item.title}
            </button>
            <IconButton
              label={`Delete the conversation “${item.title}”`}
              onClick={() => setDeleting(item)}
              className="lg:opacity-0 lg:focus-visible:opacity-100 lg:group-hover:opacity-100"
            >
              <Trash2 aria-hidden className="size-4" />
            </IconButton>
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <Button
          tone="quiet"
          size="small"
          className="mt-1 shrink-0"
          onClick={showOlder}
          aria-disabled={list.isFetchingNextPage}
        >
          Show older
        </Button>
      )}
      {deleting && (
        <Dialog
          open
          onOpenChange={() => setDeleting(undefined)}
          title="Delete this conversation?"
          description={`“${deleting.title}” goes for good. Your tasks stay as they are.`}
        >
          <div className="flex justify-end gap-2">
            <Button onClick={() => setDeleting(undefined)}>Keep it</Button>
            <Button
              tone="danger"
              onClick={() => {
                remove.mutate(deleting.id);
                setDeleting(undefined);
              }}
            >
              Delete
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
