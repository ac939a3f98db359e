"use client";

import { CircleCheck, Clock, Trash2, Undo2 } from "lucide-react";
import { useEffect, useRef } from "react";
import { useAnswerConfirmation } from "@/features/chat/api/use-conversations";
import type { Confirmation } from "@/lib/api/types";
import { useNow } from "@/lib/use-now";
import { Button } from "@/ui/button";

type ConfirmationCardProps = { confirmation: Confirmation; conversationId: string | undefined };

/** A deletion that the assistant proposes: nothing happens without a click here. */
export function ConfirmationCard({ confirmation, conversationId }: ConfirmationCardProps) {
  const now = useNow();
  const answer = useAnswerConfirmation(conversationId);
  const { task_title: title, status } = confirmation;
  const decide = (confirmed: boolean) => answer.isPending || answer.mutate({ confirmation, confirmed });
  const outcomeText = useRef<HTMLParagraphElement>(null);
  // The button that was pressed is gone: its outcome takes over the focus.
  useEffect(() => {
    if (answer.isSuccess && status !== "pending") outcomeText.current?.focus();
  }, [answer.isSuccess, status]);
  const expired = status === "expired" || (status === "pending" && new Date(confirmation.expires_at) <= now);

  if (status === "pending" && !expired) {
    return (
      <section
        aria-label={`Confirm the deletion of “${title}”`}
        className="w-full max-w-sm rounded-xl border border-danger bg-surface p-4"
      >
        <p className="flex items-start gap-2 font-medium">
          <Trash2 aria-hidden className="mt-0.5 size-5 shrink-0 text-danger" />
          <span className="[overflow-wrap:anywhere]">Delete “{title}”?</span>
        </p>
        <p className="mt-1 pl-7 text-muted text-sm">The assistant deletes nothing without your word.</p>
        {/* Not disabled meanwhile: that would take the focus away from them. */}
        <div className="mt-3 flex gap-2 pl-7">
          <Button tone="danger" size="small" aria-disabled={answer.isPending} onClick={() => decide(true)}>
            Delete
          </Button>
          <Button size="small" aria-disabled={answer.isPending} onClick={() => decide(false)}>
            Keep it
          </Button>
        </div>
      </section>
    );
  }
  const outcome = expired
    ? { icon: Clock, text: `The question whether to delete “${title}” has expired` }
    : status === "confirmed"
      ? { icon: CircleCheck, text: `Deleted “${title}”` }
      : { icon: Undo2, text: `Kept “${title}”` };
  return (
    <p
      ref={outcomeText}
      tabIndex={-1}
      className="flex items-center gap-2 rounded-xl border border-line bg-surface px-3 py-2 text-muted text-sm outline-none"
    >
      <outcome.icon aria-hidden className="size-4 shrink-0" />
      <span className="[overflow-wrap:anywhere]">{outcome.text}</span>
    </p>
  );
}
