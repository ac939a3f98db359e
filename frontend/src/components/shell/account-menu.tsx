"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { LogOut, Trash2, UserRound } from "lucide-react";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { DropdownMenu } from "radix-ui";
import { useState } from "react";
import { useRuntime } from "@/components/providers";
import { IconButton } from "@/components/ui/button";
import { useToast } from "@/components/ui/toast";
import { unwrap } from "@/lib/api/client";
import { asProblem } from "@/lib/api/problem";
import { useDeletions } from "@/lib/tasks/use-deletions";
import { useSession } from "@/lib/use-session";

const DeleteAccountDialog = dynamic(() =>
  import("./delete-account-dialog").then((module) => module.DeleteAccountDialog),
);

const ITEM =
  "flex h-10 cursor-default select-none items-center gap-3 rounded-lg px-3 text-sm outline-none data-[highlighted]:bg-hover";

/** Who is logged in, and what can be done with the account. */
export function AccountMenu() {
  const { api } = useRuntime();
  const router = useRouter();
  const client = useQueryClient();
  const toast = useToast();
  const session = useSession();
  const { flush } = useDeletions();
  const [deleting, setDeleting] = useState(false);

  const logout = useMutation({
    mutationFn: async () => {
      await flush();
      await unwrap(api.POST("/api/auth/logout"));
    },
    onSuccess: () => {
      client.clear();
      router.replace("/login");
    },
    onError: (error) =>
      toast({ tone: "error", text: `You are still logged in. ${asProblem(error).message}` }),
  });

  return (
    <>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger asChild>
          <IconButton label="Account">
            <UserRound aria-hidden className="size-5" />
          </IconButton>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content
            align="end"
            sideOffset={6}
            collisionPadding={8}
            className="z-50 min-w-56 max-w-80 animate-rise rounded-xl border border-line bg-raised p-1.5 shadow-float"
          >
            <DropdownMenu.Label className="px-3 pt-1.5 pb-2 text-sm">
              <span className="block text-muted text-xs">Logged in as</span>
              <span className="block truncate font-medium">{session.data?.email ?? "…"}</span>
            </DropdownMenu.Label>
            <DropdownMenu.Separator className="mx-1.5 mb-1.5 h-px bg-line" />
            <DropdownMenu.Item className={ITEM} onSelect={() => logout.mutate()}>
              <LogOut aria-hidden className="size-4 text-muted" />
              Log out
            </DropdownMenu.Item>
            <DropdownMenu.Item className={`${ITEM} text-danger`} onSelect={() => setDeleting(true)}>
              <Trash2 aria-hidden className="size-4" />
              Delete account…
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      {deleting && <DeleteAccountDialog onClose={() => setDeleting(false)} />}
    </>
  );
}
