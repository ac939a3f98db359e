"use client";

import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { unwrap } from "@/lib/api/client";
import { deleteAccount } from "@/lib/api/generated";
import { asProblem } from "@/lib/api/problem";
import { forgetDrafts } from "@/lib/drafts";
import { useRuntime } from "@/lib/runtime";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { ErrorNote, PasswordField } from "@/ui/field";

/** Deletes the account for good; the API asks for the password once more. */
export function DeleteAccountDialog({ onClose }: { onClose: () => void }) {
  const { api } = useRuntime();
  const remove = useMutation({
    mutationFn: (password: string) => unwrap(deleteAccount({ client: api, body: { password } })),
    onSuccess: () => {
      forgetDrafts();
      location.assign("/");
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    remove.mutate(String(new FormData(event.currentTarget).get("password")));
  };
  const problem = remove.error && asProblem(remove.error);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Delete your account?"
      description="All tasks and conversations go with it. This cannot be undone."
    >
      <form onSubmit={submit} className="grid gap-4">
        {problem && problem.code !== "wrong_password" && <ErrorNote>{problem.message}</ErrorNote>}
        <PasswordField
          label="Your password"
          name="password"
          autoComplete="current-password"
          required
          error={problem?.code === "wrong_password" ? "This is not your password." : undefined}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep it</Button>
          <Button type="submit" tone="danger" disabled={remove.isPending}>
            Delete for good
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
