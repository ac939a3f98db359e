"use client";

import { X } from "lucide-react";
import { type KeyboardEvent, useId } from "react";
import { withTags } from "@/features/tasks/model/edit";

type TagsInputProps = {
  tags: string[];
  /** What stands after the chips: a tag as well, once the form is saved. */
  text: string;
  onChange: (tags: string[], text: string) => void;
};

/** Tags as removable chips; comma, space or Enter ends one, Backspace takes the last one back. */
export function TagsInput({ tags, text, onChange }: TagsInputProps) {
  const id = useId();
  // Not on leaving the field: the form would grow under the click that is leaving it.
  const write = (next: string) => {
    const parts = next.split(/[\s,]+/);
    const last = parts.pop() ?? "";
    onChange(withTags(tags, parts.join(" ")), last);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && text.trim()) {
      event.preventDefault();
      onChange(withTags(tags, text), "");
    } else if (event.key === "Backspace" && !text) {
      onChange(tags.slice(0, -1), "");
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
              onClick={() =>
                onChange(
                  tags.filter((other) => other !== tag),
                  text,
                )
              }
              className="grid size-6 place-items-center rounded hover:bg-hover"
            >
              <X aria-hidden className="size-3.5" />
            </button>
          </span>
        ))}
        <input
          id={id}
          value={text}
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
          placeholder={tags.length ? "" : "home, work …"}
          autoComplete="off"
          className="h-7 min-w-24 flex-1 bg-transparent px-1 text-sm outline-none"
        />
      </div>
    </div>
  );
}
