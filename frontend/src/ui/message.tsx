import type { ReactNode } from "react";
import { Brand } from "./brand";

/** A page that says one thing, with buttons for what to do next. */
export function Message({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <main className="grid min-h-dvh place-items-center px-5">
      <div className="max-w-md text-center">
        <Brand />
        <h1 className="mt-8 font-semibold text-2xl tracking-tight">{title}</h1>
        <p className="mt-2 text-pretty text-muted">{text}</p>
        <div className="mt-6 flex flex-wrap justify-center gap-3">{children}</div>
      </div>
    </main>
  );
}
