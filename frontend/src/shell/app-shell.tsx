"use client";

import clsx from "clsx";
import { CircleHelp, ListChecks, MessageCircle } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { usePathname, useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { AccountMenu } from "@/features/account/components/account-menu";
import { startOver } from "@/lib/page-params";
import { useShortcuts } from "@/lib/shortcuts";
import { useLater } from "@/lib/use-later";
import { Brand } from "@/ui/brand";
import { IconButton } from "@/ui/button";
import { ThemeButton } from "@/ui/theme-button";
import { OfflineNotice } from "./offline-notice";

const HelpDialog = dynamic(() => import("./help-dialog").then((module) => module.HelpDialog));

const loadBackground = () => import("./background");

const PAGES = [
  { href: "/tasks", label: "Tasks", icon: ListChecks },
  { href: "/chat", label: "Assistant", icon: MessageCircle },
] as const;

/** Instead of navigating to the page where one is. */
const stay = (event: { preventDefault: () => void }) => {
  event.preventDefault();
  startOver();
};

/** The frame of every page behind the login: navigation, account, help. */
export function AppShell({ children }: { children: ReactNode }) {
  const pathname = usePathname();
  const router = useRouter();
  const [help, setHelp] = useState(false);
  const background = useLater(loadBackground, true);
  useShortcuts({
    "?": () => setHelp(true),
    g: () => router.push(pathname.startsWith("/chat") ? "/tasks" : "/chat"),
  });

  const links = (className: string) =>
    PAGES.map(({ href, label, icon: Icon }) => {
      const here = pathname.startsWith(href);
      return (
        <Link
          key={href}
          href={href}
          aria-current={here ? "page" : undefined}
          onNavigate={here ? stay : undefined}
          className={clsx(
            "flex items-center rounded-lg font-medium transition-colors",
            here
              ? "bg-tint text-accent forced-colors:underline"
              : "text-muted hover:bg-hover hover:text-text",
            className,
          )}
        >
          <Icon aria-hidden className="size-5" />
          {label}
        </Link>
      );
    });

  return (
    <>
      <a
        href="#main"
        className="fixed top-2 left-2 z-50 -translate-y-16 rounded-lg bg-accent px-4 py-2 font-medium text-on-accent text-sm focus:translate-y-0"
      >
        Skip to content
      </a>
      <div className="flex min-h-dvh flex-col">
        <header className="print:hidden sticky top-0 z-30 border-line border-b bg-canvas/90 backdrop-blur">
          <div className="mx-auto flex h-14 max-w-5xl items-center gap-6 px-4 sm:px-6">
            <Link
              href="/tasks"
              aria-label="Todo, to the tasks"
              onNavigate={pathname.startsWith("/tasks") ? stay : undefined}
              className="rounded-lg"
            >
              <Brand />
            </Link>
            <nav aria-label="Main" className="hidden gap-1 text-sm md:flex">
              {links("h-9 gap-2 px-3")}
            </nav>
            <div className="ml-auto flex items-center gap-1">
              <IconButton label="Keyboard shortcuts" shortcut="?" onClick={() => setHelp(true)}>
                <CircleHelp aria-hidden className="size-5" />
              </IconButton>
              <ThemeButton />
              <AccountMenu />
            </div>
          </div>
          <OfflineNotice />
        </header>
        <main id="main" tabIndex={-1} className="flex flex-1 flex-col outline-none">
          {children}
        </main>
        <nav
          aria-label="Main"
          className="print:hidden sticky bottom-0 z-30 grid grid-cols-2 gap-1 border-line border-t bg-surface p-1 pb-[max(0.25rem,env(safe-area-inset-bottom))] text-xs md:hidden"
        >
          {links("h-12 flex-col justify-center gap-0.5")}
        </nav>
      </div>
      {background && <background.Background />}
      {help && <HelpDialog onClose={() => setHelp(false)} />}
    </>
  );
}
