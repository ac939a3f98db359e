import { type ReactNode, useId } from "react";

type SettingsSectionProps = { title: string; text: ReactNode; children: ReactNode };

/** A part of the settings: what it is about, and beside it what can be done. */
export function SettingsSection({ title, text, children }: SettingsSectionProps) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className="grid gap-4 border-line border-t py-7 first-of-type:border-0 md:grid-cols-[15rem_minmax(0,1fr)] md:gap-10"
    >
      <div>
        <h2 id={id} className="font-semibold text-base">
          {title}
        </h2>
        <p className="mt-1 text-pretty text-muted text-sm">{text}</p>
      </div>
      <div className="grid min-w-0 content-start justify-items-start gap-4">{children}</div>
    </section>
  );
}

/** A list of the settings, whose rows have something to be done at their end. */
export function SettingsList({ children }: { children: ReactNode }) {
  return (
    <ul className="w-full divide-y divide-line rounded-xl border border-line bg-surface shadow-card">
      {children}
    </ul>
  );
}
