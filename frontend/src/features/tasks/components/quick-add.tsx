"use client";

import { CalendarDays, Flag, Plus, Tag, X } from "lucide-react";
import { type FormEvent, type Ref, useRef, useState } from "react";
import { NEW_TASK } from "@/features/tasks/api/send";
import { useCreateTask } from "@/features/tasks/api/use-tasks";
import type { Filters } from "@/features/tasks/model/filters";
import { type QuickAdd as Parsed, parseQuickAdd, type QuickAddSpan } from "@/features/tasks/model/quick-add";
import { asProblem } from "@/lib/api/problem";
import { describeDue, timeZone } from "@/lib/dates";
import { readDraft, useDraft } from "@/lib/drafts";
import { requestKey } from "@/lib/request-key";
import { useRuntime } from "@/lib/runtime";
import { Button } from "@/ui/button";
import { useToast } from "@/ui/toast";

const ICONS = { due: CalendarDays, priority: Flag, tag: Tag };
const MAX_TITLE = 200;

/** What was understood, one chip for each meaning: a day and its time belong together. */
function understood(
  { spans, dueOn, dueAt, priority }: Parsed,
  now: Date,
): { kind: QuickAddSpan["kind"]; label: string; texts: string[] }[] {
  const texts = spans.filter((span) => span.kind === "due").map((span) => span.text);
  const due = describeDue({ due_on: dueOn, due_at: dueAt }, now);
  return [
    ...(due ? [{ kind: "due" as const, label: due.label, texts }] : []),
    ...spans
      .filter((span) => span.kind !== "due")
      .map(({ kind, text }) => ({
        kind,
        label: kind === "tag" ? text : `Priority: ${priority}`,
        texts: [text],
      })),
  ];
}

/** The text in pieces: what was understood, and what is between. */
function pieces(text: string, spans: QuickAddSpan[]) {
  const all: { start: number; piece: string; marked: boolean }[] = [];
  let at = 0;
  for (const { start, end } of spans) {
    all.push({ start: at, piece: text.slice(at, start), marked: false });
    all.push({ start, piece: text.slice(start, end), marked: true });
    at = end;
  }
  return [...all, { start: at, piece: text.slice(at), marked: false }].filter(({ piece }) => piece);
}

type QuickAddProps = {
  filters: Filters;
  now: Date;
  onShow: (id: string) => void;
  ref: Ref<HTMLInputElement>;
};

/** One line for a new task; dates, priority and tags are understood while typing, and can be refused. */
export function QuickAdd({ filters, now, onShow, ref }: QuickAddProps) {
  const [text, setText] = useDraft(NEW_TASK);
  const [literal, setLiteral] = useState<string[]>([]);
  const { userId } = useRuntime();
  const toast = useToast();
  const create = useCreateTask(filters, onShow);
  const parsed = parseQuickAdd(text, now, literal);
  const tooLong = parsed.title.length > MAX_TITLE;

  /** What was entered is there again, unless something else is by now. */
  const giveBack = (entered: string) => readDraft(userId, NEW_TASK) || setText(entered);

  const marks = useRef<HTMLDivElement>(null);
  const due = parsed.dueOn
    ? { due_on: parsed.dueOn, due_zone: timeZone() }
    : parsed.dueAt && { due_at: parsed.dueAt, due_zone: timeZone() };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!parsed.title || tooLong) return;
    const entered = text;
    setText("");
    setLiteral([]);
    create.mutate({
      key: requestKey(),
      body: {
        title: parsed.title,
        ...due,
        tags: parsed.tags.length ? parsed.tags : filters.tag ? [filters.tag] : [],
        priority: parsed.priority ?? (filters.priority || undefined),
      },
      onRefused: (error) => {
        giveBack(entered);
        toast({ tone: "error", text: `“${parsed.title}” was not added. ${asProblem(error).message}` });
      },
    });
  };

  return (
    <form
      onSubmit={submit}
      className="print:hidden rounded-xl border border-control bg-surface shadow-card focus-within:border-accent"
    >
      <div className="flex items-center gap-2 py-1 pr-1.5 pl-3.5">
        <Plus aria-hidden className="size-5 shrink-0 text-accent" />
        <div className="relative min-w-0 flex-1">
          {/* Lies under the text of the field, and moves with it. */}
          <div
            ref={marks}
            aria-hidden
            dir="auto"
            className="absolute inset-0 overflow-hidden whitespace-pre py-1.5 text-transparent"
          >
            {pieces(text, parsed.spans).map(({ start, piece, marked }) =>
              marked ? (
                <mark key={start} className="rounded bg-tint text-transparent outline-1 outline-accent/30">
                  {piece}
                </mark>
              ) : (
                <span key={start}>{piece}</span>
              ),
            )}
          </div>
          <input
            ref={ref}
            dir="auto"
            value={text}
            onChange={(event) => setText(event.target.value)}
            onScroll={(event) => {
              if (marks.current) marks.current.scrollLeft = event.currentTarget.scrollLeft;
            }}
            onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
            aria-label="New task"
            aria-describedby="quick-add-understood"
            aria-keyshortcuts="n"
            placeholder="Add a task, like “Pay rent Friday #home”"
            enterKeyHint="done"
            autoComplete="off"
            className="relative block h-9 w-full bg-transparent outline-none placeholder:text-ellipsis"
          />
        </div>
        <Button type="submit" tone="primary" size="small" disabled={!parsed.title || tooLong}>
          Add
        </Button>
      </div>
      <div id="quick-add-understood" aria-live="polite">
        {tooLong && (
          <p className="px-3.5 pb-2.5 text-danger text-sm">
            The title is {parsed.title.length - MAX_TITLE} characters too long.
          </p>
        )}
        {parsed.spans.length > 0 && (
          <ul className="flex flex-wrap gap-1.5 px-3.5 pb-2.5">
            {understood(parsed, now).map(({ kind, label, texts }) => {
              const Icon = ICONS[kind];
              const keep = `Keep “${texts.join(" ")}” in the title`;
              return (
                <li
                  key={texts.join()}
                  className="inline-flex animate-fade items-center gap-1.5 rounded-md bg-tint py-0.5 pr-0.5 pl-2 text-accent text-sm"
                >
                  <Icon aria-hidden className="size-3.5" />
                  {label}
                  <button
                    type="button"
                    aria-label={keep}
                    title={keep}
                    onClick={() => setLiteral((all) => [...all, ...texts])}
                    className="grid size-6 place-items-center rounded hover:bg-hover"
                  >
                    <X aria-hidden className="size-3.5" />
                  </button>
                </li>
              );
            })}
          </ul>
        )}
      </div>
    </form>
  );
}
