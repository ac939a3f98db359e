import { Check } from "lucide-react";

/** The product's mark and name. */
export function Brand() {
  return (
    <span className="inline-flex items-center gap-2 font-semibold text-lg tracking-tight">
      <span aria-hidden className="grid size-7 place-items-center rounded-lg bg-accent text-on-accent">
        <Check className="size-5" strokeWidth={3} />
      </span>
      Todo
    </span>
  );
}
