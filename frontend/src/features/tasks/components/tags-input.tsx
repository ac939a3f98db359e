"use client";

import { X } from "lucide-react";
import { type KeyboardEvent, useId, useState } from "react";

const MAX_TAGS = 20;

const normal = (text: string) => text.trim().replace(/^#/, "").toLowerCase();

/** Tags as removable chips; comma, space or Enter ends one, Backspace takes the last one back. */
export function TagsInput({ tags, onChange }: { tags: string[]; onChange: (tags: string[]) => void }) {
  const id = useId();
  const [text, setText] = useState("");

  const add = () => {
    const tag = normal(text);
    setText("");
    if (tag && !tags.includes(tag) && tags.length < MAX_TAGS) onChange([...tags, tag]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.nativeEvent.isComposing) return;
    if (["Enter", ",", " "].includes(event.key) && text.trim()) {
      event.preventDefault();
      add();
    } else if (event.key === "Backspace" && !text) {
      onChange(tags.slice(0, -1));
    }
  };

  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="font-medium text-sm">
        Tags
      </label>
      <div className="flex min-h-10 flex-wrap items-center gap-1.5 rounded-lg border border-control bg-surface px-2 py-1 focus-within:border-accent hover:border-text">
        {tags.map((tag) => (
          <span key={tag} className="inline-flex items-center rounded-md bg-tint pl-2 text-accent text-sm">
            {tag}
            <button
              type="button"
              aria-label={`Remove the tag ${tag}`}
              onClick={() => onChange(tags.filter((other) => other !== tag))}
              className="grid size-6 place-items-center rounded hover:bg-hover"
            >
              <X aria-hidden className="size-3.5" />
            </button>
          </span>
        ))}
        <input
          id={id}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          onBlur={add}
          maxLength={50}
          placeholder={tags.length ? "" : "home, work …"}
          autoComplete="off"
          className="h-7 min-w-24 flex-1 bg-transparent px-1 text-sm outline-none"
        />
      </div>
    </div>
  );
}
