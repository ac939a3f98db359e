import { CalendarClock, Keyboard, MessageCircle } from "lucide-react";
import { cookies } from "next/headers";
import Link from "next/link";
import { hasSession } from "@/lib/session-cookie";
import { Brand } from "@/ui/brand";
import { buttonClass } from "@/ui/button";
import { ThemeButton } from "@/ui/theme-button";
import { Preview } from "./preview";

const FEATURES = [
  {
    icon: CalendarClock,
    title: "Type it the way you say it",
    text: "“Pay rent Friday !high #home” becomes a task with a date, a priority and a tag.",
  },
  {
    icon: MessageCircle,
    title: "Ask the assistant",
    text: "Add, find and finish tasks in a conversation. It never deletes anything before you confirm.",
  },
  {
    icon: Keyboard,
    title: "Hands on the keyboard",
    text: "N for new, / to search, X to complete. Changes show at once, and deleting can be undone.",
  },
];

export default async function LandingPage() {
  const session = hasSession(await cookies());
  return (
    <div className="mx-auto flex min-h-dvh max-w-6xl flex-col px-5 sm:px-8">
      <header className="flex h-18 items-center justify-between gap-4">
        <Brand />
        <nav aria-label="Account" className="flex items-center gap-1 sm:gap-2">
          <ThemeButton />
          {session ? (
            <Link href="/tasks" className={buttonClass("primary")}>
              My tasks
            </Link>
          ) : (
            <>
              <Link href="/login" className={buttonClass("quiet")}>
                Log in
              </Link>
              <Link href="/register" className={buttonClass("primary")}>
                Sign up
              </Link>
            </>
          )}
        </nav>
      </header>
      <main className="flex flex-1 flex-col justify-center gap-16 py-10 sm:py-16">
        <div className="grid items-center gap-12 lg:grid-cols-[1.05fr_1fr]">
          <div>
            <h1 className="text-balance font-bold text-4xl leading-[1.1] tracking-tight sm:text-5xl">
              Everything you have to do, out of your head.
            </h1>
            <p className="mt-5 max-w-lg text-pretty text-lg text-muted">
              A fast, quiet task list. Write things down in plain words, see what matters today, and let the
              assistant do the tidying.
            </p>
            <div className="mt-8 flex flex-wrap gap-3">
              {!session && (
                <Link href="/register" className={buttonClass("primary", "large")}>
                  Create an account
                </Link>
              )}
              <Link href="/tasks" className={buttonClass(session ? "primary" : "secondary", "large")}>
                Open my tasks
              </Link>
            </div>
          </div>
          <Preview />
        </div>
        <ul className="grid gap-x-10 gap-y-8 sm:grid-cols-3">
          {FEATURES.map(({ icon: Icon, title, text }) => (
            <li key={title}>
              <Icon aria-hidden className="size-6 text-accent" />
              <h2 className="mt-3 font-semibold text-base">{title}</h2>
              <p className="mt-1 text-pretty text-muted text-sm">{text}</p>
            </li>
          ))}
        </ul>
      </main>
    </div>
  );
}
