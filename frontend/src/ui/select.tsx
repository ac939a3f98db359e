import clsx from "clsx";
import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";

type SelectProps<V extends string> = Omit<ComponentProps<"select">, "onChange" | "value" | "size"> & {
  label: string;
  value: V;
  options: readonly { value: V; label: string }[];
  onChoose: (value: V) => void;
  /** As high as the fields of a form. */
  size?: "medium" | "large";
};

/** The platform's own select: right on phones, for screen readers and for the keyboard without any code. */
export function Select<V extends string>({
  label,
  value,
  options,
  onChoose,
  size = "medium",
  className,
  ...rest
}: SelectProps<V>) {
  return (
    <span className={clsx("relative inline-flex max-sm:grow", className)}>
      <select
        aria-label={label}
        value={value}
        onChange={(event) => onChoose(event.target.value as V)}
        className={clsx(
          "w-full appearance-none truncate rounded-lg border bg-surface pr-8 pl-3 text-sm hover:bg-hover",
          size === "large" ? "h-11 border-control" : "h-9 border-line",
        )}
        {...rest}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown
        aria-hidden
        className="pointer-events-none absolute inset-y-0 right-2.5 my-auto size-4 text-muted"
      />
    </span>
  );
}
