"use client";

import { ArrowUp, Square } from "lucide-react";
import type { FormEvent, KeyboardEvent, Ref } from "react";

const MAX_MESSAGE = 4000;

type ComposerProps = {
  ref: Ref<HTMLTextAreaElement>;
  text: string;
  onChange: (text: string) => void;
  onSend: (text: string) => void;
  running: boolean;
  onStop: () => void;
};

/** Where the user writes: Enter sends, Shift+Enter makes a new line. */
export function Composer({ ref, text, onChange, onSend, running, onStop }: ComposerProps) {
  const message = text.trim();
  const submit = (event: FormEvent | KeyboardEvent) => {
    event.preventDefault();
    if (message && !running) onSend(message);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Escape") event.currentTarget.blur();
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
  };
  const button =
    "grid size-9 shrink-0 place-items-center rounded-lg bg-accent text-on-accent hover:bg-accent-strong";
  return (
    <div className="print:hidden sticky bottom-14 z-20 bg-canvas pb-4 md:bottom-0 md:pb-6">
      <form
        onSubmit={submit}
        className="flex items-end gap-2 rounded-2xl border border-control bg-surface p-2 shadow-card focus-within:border-accent"
      >
        <textarea
          ref={ref}
          dir="auto"
          rows={1}
          value={text}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={onKeyDown}
          maxLength={MAX_MESSAGE}
          aria-label="Message to the assistant"
          aria-keyshortcuts="/"
          placeholder="Ask or tell the assistant…"
          enterKeyHint="send"
          className="field-sizing-content max-h-40 min-h-9 min-w-0 flex-1 resize-none bg-transparent px-2 py-1.5 outline-none"
        />
        {running ? (
          <button type="button" aria-label="Stop the answer" onClick={onStop} className={button}>
            <Square aria-hidden className="size-4 fill-current" />
          </button>
        ) : (
          <button
            type="submit"
            aria-label="Send"
            // Not disabled: it follows the button that stops, which may have the focus.
            aria-disabled={!message}
            className={`${button} aria-disabled:cursor-not-allowed aria-disabled:opacity-60`}
          >
            <ArrowUp aria-hidden className="size-5" />
          </button>
        )}
      </form>
    </div>
  );
}
