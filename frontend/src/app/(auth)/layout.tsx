import Link from "next/link";
import type { ReactNode } from "react";
import { RuntimeProviders } from "@/shell/runtime-providers";
import { Brand } from "@/ui/brand";
import { ThemeButton } from "@/ui/theme-button";

export default function AuthLayout({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="mx-auto flex h-18 w-full max-w-6xl items-center justify-between px-5 sm:px-8">
        <Link href="/" aria-label="Todo, to the start page" className="rounded-lg">
          <Brand />
        </Link>
        <ThemeButton />
      </header>
      <main className="flex flex-1 items-start justify-center px-4 py-8 sm:items-center sm:pb-24">
        <div className="w-full max-w-sm rounded-2xl border border-line bg-surface p-6 shadow-card sm:p-8">
          <RuntimeProviders>{children}</RuntimeProviders>
        </div>
      </main>
    </div>
  );
}
