import clsx from "clsx";
import { CircleAlert } from "lucide-react";
import { type ComponentProps, type ReactNode, useId } from "react";

/** Look of every text-like control. */
export const controlClass =
  "rounded-lg border border-control bg-surface px-3 text-text transition-colors " +
  "hover:border-text focus-visible:border-accent focus-visible:outline-offset-0 aria-invalid:border-danger";

type FieldProps = ComponentProps<"input"> & { label: string; hint?: ReactNode; error?: string };

/** A labelled one-line input with a hint and an error that screen readers are told about. */
export function Field({ label, hint, error, className, ...rest }: FieldProps) {
  const id = useId();
  // An error says all that the hint says.
  const hinted = hint && !error;
  const described = [hinted && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={clsx("grid gap-1.5", className)}>
      <label htmlFor={id} className="font-medium text-sm">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={described || undefined}
        className={clsx(controlClass, "h-11 w-full")}
        {...rest}
      />
      {hinted && (
        <p id={`${id}-hint`} className="text-muted text-sm">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="flex items-start gap-1.5 text-danger text-sm">
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          {error}
        </p>
      )}
    </div>
  );
}

/** A box for an error that concerns a whole form or page; announced when it appears. */
export function ErrorNote({ children }: { children: ReactNode }) {
  return (
    <div
      role="alert"
      className="flex items-start gap-2 rounded-lg bg-danger-tint px-3 py-2.5 text-danger text-sm"
    >
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div>{children}</div>
    </div>
  );
}
