"use client";

import { SHORTCUTS, setShortcutsEnabled, useShortcutsEnabled } from "@/lib/shortcuts";
import { Dialog } from "@/ui/dialog";
import { Kbd } from "@/ui/kbd";

const EXAMPLES = [
  ["tomorrow · fri · next week · 12 dec · in 3 days", "Due date"],
  ["5pm · 17:00", "Time"],
  ["!high · !medium · !low", "Priority"],
  ["#home", "Tag"],
] as const;

/** Explains the keys and what a new task's line may say. */
export function HelpDialog({ onClose }: { onClose: () => void }) {
  const enabled = useShortcutsEnabled();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title="Keyboard shortcuts">
      <dl className="divide-y divide-line text-sm">
        {SHORTCUTS.map(({ keys, what }) => (
          <div key={what} className="flex items-center justify-between gap-4 py-2">
            <dt>{what}</dt>
            <dd className="flex gap-1">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <label className="mt-3 flex items-center gap-3 text-sm">
        <input
          type="checkbox"
          checked={enabled}
          onChange={(event) => setShortcutsEnabled(event.target.checked)}
          className="size-4 accent-accent"
        />
        Use single-key shortcuts
      </label>
      <h3 className="mt-6 mb-1 font-semibold">In a new task’s line</h3>
      <dl className="divide-y divide-line text-sm">
        {EXAMPLES.map(([example, what]) => (
          <div key={what} className="flex items-baseline justify-between gap-4 py-2">
            <dt>{what}</dt>
            <dd className="text-right text-muted">{example}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
