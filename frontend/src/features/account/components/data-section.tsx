"use client";

import { Download, FileUp } from "lucide-react";
import { type ChangeEvent, useRef } from "react";
import { useExport, useImport } from "@/features/account/api/use-transfer";
import { asProblem } from "@/lib/api/problem";
import { Button } from "@/ui/button";
import { ErrorNote } from "@/ui/field";
import { SettingsSection } from "./settings-section";

const count = (n: number, one: string) => `${n} ${one}${n === 1 ? "" : "s"}`;

/** Takes everything along as a file, and takes such a file in. */
export function DataSection() {
  const save = useExport();
  const take = useImport();
  const file = useRef<HTMLInputElement>(null);
  const chosen = (event: ChangeEvent<HTMLInputElement>) => {
    const [picked] = event.target.files ?? [];
    if (picked) take.mutate(picked);
    event.target.value = ""; // the same file may be chosen again
  };
  const { tasks, conversations } = take.data ?? {};
  const skipped = (tasks?.skipped ?? 0) + (conversations?.skipped ?? 0);
  const failed = save.error ?? take.error;
  return (
    <SettingsSection
      title="Your data"
      text="JSON has everything, CSV has the tasks, for a spreadsheet. Both can be taken in again, here or elsewhere, as can any table with a column “title”."
    >
      <div className="flex flex-wrap gap-2">
        <Button disabled={save.isPending} onClick={() => save.mutate("json")}>
          <Download aria-hidden className="size-4" />
          Everything, as JSON
        </Button>
        <Button disabled={save.isPending} onClick={() => save.mutate("csv")}>
          <Download aria-hidden className="size-4" />
          Tasks, as CSV
        </Button>
      </div>
      <div>
        <input
          ref={file}
          type="file"
          accept="application/json,text/csv,.json,.csv"
          aria-label="File to take in"
          onChange={chosen}
          hidden
        />
        <Button disabled={take.isPending} onClick={() => file.current?.click()}>
          <FileUp aria-hidden className="size-4" />
          {take.isPending ? "Taking it in…" : "Take in a file…"}
        </Button>
      </div>
      {failed && <ErrorNote>{asProblem(failed).message}</ErrorNote>}
      <p role="status" className="text-good text-sm empty:hidden">
        {tasks &&
          conversations &&
          `${count(tasks.added, "task")} and ${count(conversations.added, "conversation")} added` +
            (skipped ? `; ${skipped} ${skipped === 1 ? "was" : "were"} there already.` : ".")}
      </p>
    </SettingsSection>
  );
}
