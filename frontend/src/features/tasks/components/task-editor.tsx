"use client";

import clsx from "clsx";
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { PRIORITIES } from "@/features/tasks/model/filters";
import type { Priority, Task, TaskUpdate } from "@/lib/api/types";
import { endOfDay, fromInputs, toInputs } from "@/lib/dates";
import { Button } from "@/ui/button";
import { controlClass } from "@/ui/field";
import { TagsInput } from "./tags-input";

const DAYS = [
  { label: "Today", days: 0 },
  { label: "Tomorrow", days: 1 },
  { label: "In a week", days: 7 },
];

/** Only what differs from the task; empty when nothing does. */
function changesTo(
  task: Task,
  edited: Required<Omit<TaskUpdate, "completed" | "due_on" | "due_zone">>,
): TaskUpdate {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const before = { ...task, due_at: task.due_at && new Date(task.due_at).toISOString() };
  return Object.fromEntries(
    Object.entries(edited).filter(([name, value]) => !same(before[name as keyof Task], value)),
  ) as TaskUpdate;
}

type TaskEditorProps = {
  task: Task;
  className?: string;
  onSave: (changes: TaskUpdate) => void;
  onCancel: () => void;
};

/** The form that replaces a task's row while it is edited. Escape cancels, Ctrl+Enter saves. */
export function TaskEditor({ task, className, onSave, onCancel }: TaskEditorProps) {
  const [title, setTitle] = useState(task.title);
  const [description, setDescription] = useState(task.description);
  const [priority, setPriority] = useState<Priority>(task.priority);
  const [due, setDue] = useState(() => toInputs(task.due_at));
  const [tags, setTags] = useState(task.tags);

  const form = useRef<HTMLFormElement>(null);

  // On a small screen the form may have opened below the fold.
  useEffect(() => {
    form.current?.scrollIntoView({ block: "nearest" });
  }, []);

  const save = () => {
    if (!title.trim()) return;
    // A moment with seconds, set by another client, must not change only because the form knows minutes.
    const original = toInputs(task.due_at);
    const untouched = original.date === due.date && original.time === due.time;
    const due_at =
      untouched && task.due_at ? new Date(task.due_at).toISOString() : fromInputs(due.date, due.time);
    onSave(changesTo(task, { title: title.trim(), description: description.trim(), priority, due_at, tags }));
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
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys of its fields, which bubble up to it
    <form
      ref={form}
      aria-label={`Edit “${task.title}”`}
      onSubmit={submit}
      onKeyDown={onKeyDown}
      className={clsx("@container grid gap-4", className)}
    >
      <div className="grid gap-2">
        <input
          aria-label="Title"
          value={title}
          onChange={(event) => setTitle(event.target.value)}
          required
          maxLength={200}
          autoFocus
          className={`${controlClass} h-11 w-full font-medium`}
        />
        <textarea
          aria-label="Description"
          placeholder="Description"
          value={description}
          onChange={(event) => setDescription(event.target.value)}
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
              onChange={(event) => setDue({ ...due, date: event.target.value })}
              className={`${controlClass} h-10 w-full min-w-0 text-sm`}
            />
            <input
              type="time"
              aria-label="Due time, if it matters"
              value={due.time}
              disabled={!due.date}
              onChange={(event) => setDue({ ...due, time: event.target.value })}
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
                onClick={() =>
                  setDue({ ...due, date: toInputs(endOfDay(new Date(), days).toISOString()).date })
                }
              >
                {label}
              </Button>
            ))}
            {due.date && (
              <Button
                tone="quiet"
                size="small"
                className="px-2"
                onClick={() => setDue({ date: "", time: "" })}
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
                className="cursor-pointer rounded-md py-1 text-center text-muted has-checked:bg-surface has-checked:font-medium has-checked:text-text has-checked:shadow-card has-focus-visible:outline-2 has-focus-visible:outline-accent"
              >
                <input
                  type="radio"
                  name={`priority-${task.id}`}
                  value={value}
                  checked={priority === value}
                  onChange={() => setPriority(value)}
                  className="sr-only"
                />
                {label}
              </label>
            ))}
          </div>
        </fieldset>
      </div>
      <TagsInput tags={tags} onChange={setTags} />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" tone="primary" disabled={!title.trim()}>
          Save
        </Button>
      </div>
    </form>
  );
}
