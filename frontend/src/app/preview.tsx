import clsx from "clsx";
import { Check } from "lucide-react";

const ROWS = [
  { title: "Call the dentist", meta: "Today 14:00", tone: "text-good", ring: "border-danger" },
  { title: "Pay rent", meta: "Friday", tone: "text-accent", ring: "border-warn" },
  { title: "Book train to Vienna", meta: "12 Dec", tone: "text-muted", ring: "border-control" },
  { title: "Water the plants", meta: "Done", tone: "text-muted", done: true },
];

/** A picture of the task list, drawn with the page's own means; decoration only. */
export function Preview() {
  return (
    <div aria-hidden className="relative mx-auto w-full max-w-md select-none">
      <div className="absolute -inset-4 rounded-[2rem] bg-tint" />
      <div className="relative rounded-2xl border border-line bg-surface p-5 shadow-float">
        <div className="mb-3 flex items-baseline justify-between">
          <span className="font-semibold text-lg">Tasks</span>
          <span className="text-muted text-sm">3 open</span>
        </div>
        <div className="rounded-xl border border-accent px-3 py-2.5 text-sm">
          Buy flowers <span className="rounded bg-tint px-1 text-accent">tomorrow</span>{" "}
          <span className="rounded bg-tint px-1 text-accent">#home</span>
          <span className="ml-0.5 inline-block h-4 w-px translate-y-0.5 bg-accent" />
        </div>
        <ul className="mt-2 divide-y divide-line">
          {ROWS.map((row) => (
            <li key={row.title} className="flex items-center gap-3 py-3">
              <span
                className={clsx(
                  "grid size-5 place-items-center rounded-full border-2",
                  row.done ? "border-accent bg-accent text-on-accent" : row.ring,
                )}
              >
                {row.done && <Check className="size-3.5" strokeWidth={3.5} />}
              </span>
              <span className={clsx("flex-1 text-sm", row.done && "text-muted line-through")}>
                {row.title}
              </span>
              <span className={clsx("text-xs", row.tone)}>{row.meta}</span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
