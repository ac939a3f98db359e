"use client";

import clsx from "clsx";
import { CircleAlert, Eye, EyeOff } from "lucide-react";
import { type ComponentProps, type ReactNode, useId, useState } from "react";
import { IconButton } from "./button";

/** Look of every text-like control. */
export const controlClass =
  "rounded-lg border border-control bg-surface px-3 text-text transition-colors " +
  "hover:border-text focus-visible:border-accent focus-visible:outline-offset-0 aria-invalid:border-danger";

type FieldProps = ComponentProps<"input"> & {
  label: string;
  hint?: ReactNode;
  error?: string;
  /** A button at the end of the input. */
  button?: ReactNode;
};

/** A labelled one-line input with a hint and an error that screen readers are told about. */
export function Field({ label, hint, error, button, className, ...rest }: FieldProps) {
  const id = useId();
  // An error says all that the hint says.
  const hinted = hint && !error;
  const described = [hinted && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={clsx("grid gap-1.5", className)}>
      <label htmlFor={id} className="font-medium text-sm">
        {label}
      </label>
      <div className="relative">
        <input
          id={id}
          aria-invalid={error ? true : undefined}
          aria-describedby={described || undefined}
          className={clsx(controlClass, "h-11 w-full", button && "pr-12")}
          {...rest}
        />
        {button && <div className="absolute top-1 right-1">{button}</div>}
      </div>
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

/** A field for a password, which can be looked at while it is typed. */
export function PasswordField(props: Omit<FieldProps, "type" | "button">) {
  const [shown, setShown] = useState(false);
  const Icon = shown ? EyeOff : Eye;
  return (
    <Field
      type={shown ? "text" : "password"}
      autoCapitalize="none"
      spellCheck={false}
      button={
        <IconButton
          label={shown ? "Hide what is typed" : "Show what is typed"}
          onClick={() => setShown(!shown)}
        >
          <Icon aria-hidden className="size-5" />
        </IconButton>
      }
      {...props}
    />
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
