import clsx from "clsx";
import type { ComponentProps } from "react";

type Tone = "primary" | "secondary" | "quiet" | "danger";

const TONES: Record<Tone, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  secondary: "border border-line bg-surface text-text hover:bg-hover",
  quiet: "text-muted hover:bg-hover hover:text-text",
  danger: "bg-danger-tint text-danger hover:outline-1 hover:outline-danger",
};

const BASE =
  "inline-flex items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap transition-colors " +
  "disabled:cursor-not-allowed disabled:opacity-60";

/** Class names of a button, for links that look like one. */
export function buttonClass(tone: Tone = "secondary", size: "small" | "medium" | "large" = "medium"): string {
  const sizes = { small: "h-8 px-3 text-sm", medium: "h-10 px-4 text-sm", large: "h-12 px-6 text-base" };
  return clsx(BASE, TONES[tone], sizes[size]);
}

type ButtonProps = ComponentProps<"button"> & { tone?: Tone; size?: "small" | "medium" | "large" };

/** A button; `type` is "button" unless it submits a form. */
export function Button({ tone, size, className, type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={clsx(buttonClass(tone, size), className)} {...rest} />;
}

type IconButtonProps = Omit<ComponentProps<"button">, "aria-label"> & { label: string; shortcut?: string };

/** A square button that shows only an icon; `label` is its accessible name and its hint. */
export function IconButton({ label, shortcut, className, type = "button", ...rest }: IconButtonProps) {
  return (
    <button
      type={type}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      title={shortcut ? `${label} (${shortcut})` : label}
      className={clsx(BASE, TONES.quiet, "size-9 shrink-0", className)}
      {...rest}
    />
  );
}
