import { Sparkles } from "lucide-react";

const SUGGESTIONS = [
  "What is open?",
  "Add buy milk tomorrow #home",
  "What is due this week?",
  "Mark milk done",
];

/** What a new conversation begins with: what the assistant can do, and ways to start. */
export function Welcome({ onChoose }: { onChoose: (text: string) => void }) {
  return (
    <div className="grid h-full content-center justify-items-center gap-2 py-10 text-center">
      <span className="grid size-14 place-items-center rounded-full bg-tint text-accent">
        <Sparkles aria-hidden className="size-7" />
      </span>
      <h2 className="mt-2 font-semibold text-lg">What shall we get done?</h2>
      <p className="max-w-sm text-pretty text-muted text-sm">
        Add, find, change and complete tasks by writing. Nothing is deleted before you confirm it.
      </p>
      <ul className="mt-4 flex max-w-lg flex-wrap justify-center gap-2">
        {SUGGESTIONS.map((text) => (
          <li key={text}>
            <button
              type="button"
              onClick={() => onChoose(text)}
              className="rounded-full border border-line bg-surface px-4 py-2 text-sm transition-colors hover:border-accent hover:text-accent"
            >
              {text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
