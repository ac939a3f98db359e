import clsx from "clsx";
import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";

type SelectProps<V extends string> = Omit<ComponentProps<"select">, "onChange" | "value"> & {
  label: string;
  value: V;
  options: readonly { value: V; label: string }[];
  onChoose: (value: V) => void;
};

/** The platform's own select: right on phones, for screen readers and for the keyboard without any code. */
export function Select<V extends string>({
  label,
  value,
  options,
  onChoose,
  className,
  ...rest
}: SelectProps<V>) {
  return (
    <span className={clsx("relative inline-flex max-sm:grow", className)}>
      <select
        aria-label={label}
        value={value}
        onChange={(event) => onChoose(event.target.value as V)}
        className="h-9 w-full appearance-none truncate rounded-lg border border-line bg-surface pr-8 pl-3 text-sm hover:bg-hover"
        {...rest}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute top-2.5 right-2.5 size-4 text-muted" />
    </span>
  );
}
