"use client";

import { ArchiveRestore, LogOut, Settings, UserRound } from "lucide-react";
import Link from "next/link";
import { useId } from "react";
import { useLogout } from "@/features/account/api/leave";
import { useSession } from "@/lib/session";
import { IconButton } from "@/ui/button";

const ITEM = "flex h-10 w-full items-center gap-3 rounded-lg px-3 text-left text-sm hover:bg-hover";
const PAGES = [
  { href: "/settings", label: "Settings", icon: Settings },
  { href: "/trash", label: "Trash", icon: ArchiveRestore },
] as const;

/** Who is logged in, and what there is beside the tasks, in the browser's own popover. */
export function AccountMenu() {
  const session = useSession();
  const logout = useLogout();
  const id = useId();
  const hide = () => document.getElementById(id)?.hidePopover();
  return (
    <>
      <IconButton label="Account" popoverTarget={id}>
        <UserRound aria-hidden className="size-5" />
      </IconButton>
      <div
        id={id}
        popover="auto"
        className="fixed inset-auto top-13 right-[max(1rem,calc(50vw-31rem))] w-64 animate-rise rounded-xl border border-line bg-raised p-1.5 text-text shadow-float"
      >
        <p className="px-3 pt-1.5 pb-2 text-sm">
          <span className="block text-muted text-xs">Logged in as</span>
          <span className="block truncate font-medium">{session.data?.email ?? "…"}</span>
        </p>
        <div className="border-line border-t pt-1.5">
          {PAGES.map(({ href, label, icon: Icon }) => (
            <Link key={href} href={href} className={ITEM} onClick={hide}>
              <Icon aria-hidden className="size-4 text-muted" />
              {label}
            </Link>
          ))}
          <button type="button" className={ITEM} disabled={logout.isPending} onClick={() => logout.mutate()}>
            <LogOut aria-hidden className="size-4 text-muted" />
            Log out
          </button>
        </div>
      </div>
    </>
  );
}
