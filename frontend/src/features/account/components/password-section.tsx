"use client";

import { type FormEvent, useRef, useState } from "react";
import { useChangePassword } from "@/features/account/api/use-account";
import { asProblem } from "@/lib/api/problem";
import { newPasswordFault, refusedPassword } from "@/lib/passwords";
import { Button } from "@/ui/button";
import { ErrorNote, PasswordField } from "@/ui/field";
import { NewPasswordField } from "@/ui/new-password-field";
import { SettingsSection } from "./settings-section";

/** Changes the password; the one so far is asked for. */
export function PasswordSection({ email }: { email: string | undefined }) {
  const form = useRef<HTMLFormElement>(null);
  const change = useChangePassword();
  const [fault, setFault] = useState<string>();
  const focus = (name: string) => form.current?.querySelector<HTMLInputElement>(`[name=${name}]`)?.focus();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const [password, new_password] = [String(data.get("password")), String(data.get("new_password"))];
    const found = newPasswordFault(new_password);
    setFault(found);
    change.reset();
    if (found) return focus("new_password");
    change.mutate(
      { password, new_password },
      {
        onSuccess: () => form.current?.reset(),
        onError: (error) => focus(asProblem(error).code === "wrong_password" ? "password" : "new_password"),
      },
    );
  };

  const problem = change.error && asProblem(change.error);
  const wrong = problem?.code === "wrong_password" ? "This is not your password." : undefined;
  const refused = refusedPassword(problem, "new_password");
  return (
    <SettingsSection
      title="Password"
      text="A new one logs you out everywhere else. Programs with a token go on."
    >
      <form ref={form} onSubmit={submit} className="grid w-full max-w-sm gap-4">
        {problem && !wrong && !refused && <ErrorNote>{problem.message}</ErrorNote>}
        {/* For whatever keeps passwords: whose it is. */}
        <input type="text" name="username" autoComplete="username" value={email ?? ""} readOnly hidden />
        <PasswordField
          label="Current password"
          name="password"
          autoComplete="current-password"
          required
          error={wrong}
        />
        <NewPasswordField label="New password" name="new_password" error={fault ?? refused} />
        <div className="flex flex-wrap items-center gap-3">
          <Button type="submit" disabled={change.isPending}>
            {change.isPending ? "One moment…" : "Change password"}
          </Button>
          <p role="status" className="text-good text-sm">
            {change.isSuccess && "Changed. You are logged out everywhere else."}
          </p>
        </div>
      </form>
    </SettingsSection>
  );
}
