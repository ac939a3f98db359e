"use client";

import clsx from "clsx";
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useEdits } from "@/features/tasks/api/edits";
import { beginEdit, type Edit } from "@/features/tasks/model/edit";
import { PRIORITIES } from "@/features/tasks/model/filters";
import type { Task } from "@/lib/api/types";
import { dayString, startOfDay } from "@/lib/dates";
import { Button } from "@/ui/button";
import { controlClass } from "@/ui/field";
import { TagsInput } from "./tags-input";

const DAYS = [
  { label: "Today", days: 0 },
  { label: "Tomorrow", days: 1 },
  { label: "In a week", days: 7 },
];

type TaskEditorProps = {
  task: Task;
  className?: string;
  onSave: (edit: Edit) => void;
  onCancel: () => void;
};

/** The form that replaces a task's row while it is edited. Escape cancels, Ctrl+Enter saves. */
export function TaskEditor({ task, className, onSave, onCancel }: TaskEditorProps) {
  const edits = useEdits();
  // What was opened counts, whatever becomes of the task while the form is open.
  const [edit, setEdit] = useState(() => edits.read(task.id) ?? beginEdit(task));
  const { opened, values } = edit;
  const { title, description, priority, due, tags, tag } = values;
  const change = (changed: Partial<Edit["values"]>) => {
    const next = { ...edit, values: { ...values, ...changed } };
    setEdit(next);
    edits.keep(next);
  };

  const form = useRef<HTMLFormElement>(null);

  // On a small screen the form may have opened below the fold.
  useEffect(() => {
    form.current?.scrollIntoView({ block: "nearest" });
  }, []);

  const save = () => {
    if (title.trim()) onSave(edit);
  };
  const takeTheirs = () => {
    edits.forget(opened.id);
    setEdit(beginEdit(opened));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onCancel();
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save();
    }
  };

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- its fields' keys, which bubble
    <form
      ref={form}
      aria-label={`Edit “${opened.title}”`}
      onSubmit={submit}
      onKeyDown={onKeyDown}
      className={clsx("@container grid gap-4", className)}
    >
      {edit.conflict && (
        <div
          role="alert"
          className="flex flex-wrap items-center gap-3 rounded-lg bg-warn-tint px-3 py-2 text-sm text-warn"
        >
          <p className="min-w-48 flex-1">
            This task was changed elsewhere meanwhile; it is “{opened.title}” now. If you save, yours counts.
          </p>
          <Button size="small" onClick={takeTheirs}>
            Take theirs
          </Button>
        </div>
      )}
      <div className="grid gap-2">
        <input
          aria-label="Title"
          dir="auto"
          value={title}
          onChange={(event) => change({ title: event.target.value })}
          required
          maxLength={200}
          autoFocus
          className={`${controlClass} h-11 w-full font-medium`}
        />
        <textarea
          aria-label="Description"
          dir="auto"
          placeholder="Description"
          value={description}
          onChange={(event) => change({ description: event.target.value })}
          maxLength={2000}
          rows={3}
          className={`${controlClass} w-full field-sizing-content max-h-60 min-h-20 resize-y py-2 text-sm`}
        />
      </div>
      <div className="grid gap-4 @lg:grid-cols-2">
        <fieldset className="grid min-w-0 gap-1.5">
          <legend className="mb-1.5 font-medium text-sm">Due</legend>
          <div className="flex min-w-0 gap-2">
            <input
              type="date"
              aria-label="Due date"
              value={due.date}
              onChange={(event) => change({ due: { ...due, date: event.target.value } })}
              className={`${controlClass} h-10 w-full min-w-0 text-sm`}
            />
            <input
              type="time"
              aria-label="Due time, if it matters"
              value={due.time}
              disabled={!due.date}
              onChange={(event) => change({ due: { ...due, time: event.target.value } })}
              className={`${controlClass} h-10 w-32 shrink-0 text-sm disabled:opacity-50`}
            />
          </div>
          <div className="flex flex-wrap gap-1">
            {DAYS.map(({ label, days }) => (
              <Button
                key={label}
                tone="quiet"
                size="small"
                className="-ml-1 px-2"
                onClick={() => change({ due: { ...due, date: dayString(startOfDay(new Date(), days)) } })}
              >
                {label}
              </Button>
            ))}
            {due.date && (
              <Button
                tone="quiet"
                size="small"
                className="px-2"
                onClick={() => change({ due: { date: "", time: "" } })}
              >
                No date
              </Button>
            )}
          </div>
        </fieldset>
        <fieldset>
          <legend className="mb-1.5 font-medium text-sm">Priority</legend>
          <div className="grid grid-cols-3 gap-1 rounded-lg border border-line bg-canvas p-1 text-sm">
            {PRIORITIES.map(({ value, label }) => (
              <label
                key={value}
                className="cursor-pointer rounded-md py-1 text-center text-muted has-checked:bg-surface has-checked:font-medium has-checked:text-text has-checked:shadow-card forced-colors:has-checked:underline has-focus-visible:outline-2 has-focus-visible:outline-accent"
              >
                <input
                  type="radio"
                  name={`priority-${task.id}`}
                  value={value}
                  checked={priority === value}
                  onChange={() => change({ priority: value })}
                  className="sr-only"
                />
                {label}
              </label>
            ))}
          </div>
        </fieldset>
      </div>
      <TagsInput tags={tags} text={tag} onChange={(tags, tag) => change({ tags, tag })} />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" tone="primary" disabled={!title.trim()}>
          Save
        </Button>
      </div>
    </form>
  );
}
