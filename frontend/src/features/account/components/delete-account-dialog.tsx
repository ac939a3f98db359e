"use client";

import type { FormEvent } from "react";
import { useDeleteAccount } from "@/features/account/api/use-account";
import { asProblem } from "@/lib/api/problem";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { ErrorNote, PasswordField } from "@/ui/field";

/** Deletes the account for good; the API asks for the password once more. */
export function DeleteAccountDialog({ onClose }: { onClose: () => void }) {
  const remove = useDeleteAccount();
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
