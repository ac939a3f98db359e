"use client";

import { useMutation } from "@tanstack/react-query";
import { ArchiveRestore, LogOut, Trash2, UserRound } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useId, useState } from "react";
import { unwrap } from "@/lib/api/client";
import { logout } from "@/lib/api/generated";
import { asProblem } from "@/lib/api/problem";
import { forgetDrafts } from "@/lib/drafts";
import { useRuntime } from "@/lib/runtime";
import { useSession } from "@/lib/session";
import { IconButton } from "@/ui/button";
import { useToast } from "@/ui/toast";

const DeleteAccountDialog = dynamic(() =>
  import("./delete-account-dialog").then((module) => module.DeleteAccountDialog),
);

const ITEM = "flex h-10 w-full items-center gap-3 rounded-lg px-3 text-left text-sm hover:bg-hover";

/** Who is logged in, and what can be done with the account. The browser's own popover: Escape and a click outside close it. */
export function AccountMenu() {
  const { api } = useRuntime();
  const toast = useToast();
  const session = useSession();
  const id = useId();
  const [deleting, setDeleting] = useState(false);

  const leave = useMutation({
    mutationFn: () => unwrap(logout({ client: api })),
    // A new page, not a new view: nothing of this user's stays in memory, and nothing asks the API again.
    onSuccess: () => {
      forgetDrafts();
      location.assign("/login");
    },
    onError: (error) =>
      toast({ tone: "error", text: `You are still logged in. ${asProblem(error).message}` }),
  });

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
          <Link href="/trash" className={ITEM} onClick={hide}>
            <ArchiveRestore aria-hidden className="size-4 text-muted" />
            Trash
          </Link>
          <button type="button" className={ITEM} disabled={leave.isPending} onClick={() => leave.mutate()}>
            <LogOut aria-hidden className="size-4 text-muted" />
            Log out
          </button>
          <button
            type="button"
            className={`${ITEM} text-danger`}
            popoverTarget={id}
            popoverTargetAction="hide"
            onClick={() => setDeleting(true)}
          >
            <Trash2 aria-hidden className="size-4" />
            Delete account…
          </button>
        </div>
      </div>
      {deleting && <DeleteAccountDialog onClose={() => setDeleting(false)} />}
    </>
  );
}
