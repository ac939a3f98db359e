"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { type FormEvent, useRef, useState } from "react";
import { unwrap } from "@/lib/api/client";
import { login, mailResetCode, resetOptions, resetPassword } from "@/lib/api/generated";
import { asProblem } from "@/lib/api/problem";
import { forgetPages } from "@/lib/kept-pages";
import { newPasswordFault, refusedPassword } from "@/lib/passwords";
import { useRuntime } from "@/lib/runtime";
import { Button } from "@/ui/button";
import { ErrorNote, Field } from "@/ui/field";
import { NewPasswordField } from "@/ui/new-password-field";

const MIN_CODE = 16;

/** Sets a new password in place of a forgotten one, with a code that works once, and logs in with it. */
export function ResetForm() {
  const { api } = useRuntime();
  const router = useRouter();
  const form = useRef<HTMLFormElement>(null);
  const [faults, setFaults] = useState<{ code?: string; password?: string }>({});
  const focus = (name: string) => form.current?.querySelector<HTMLInputElement>(`[name=${name}]`)?.focus();

  const options = useQuery({
    queryKey: ["reset"],
    queryFn: ({ signal }) => unwrap(resetOptions({ client: api, signal })),
  });
  const mail = useMutation({
    mutationFn: (email: string) => unwrap(mailResetCode({ client: api, body: { email } })),
    onSuccess: () => focus("code"),
  });
  const reset = useMutation({
    mutationFn: async (body: { email: string; code: string; password: string }) => {
      await unwrap(resetPassword({ client: api, body }));
      const { email, password } = body;
      await unwrap(login({ client: api, body: { email, password } }));
    },
    onSuccess: async () => {
      await forgetPages(); // those of who was logged in before
      router.replace("/tasks");
    },
    onError: (error) => {
      const problem = asProblem(error);
      focus(
        refusedPassword(problem, "password") ? "password" : problem.fieldMessage("email") ? "email" : "code",
      );
    },
  });

  const emailOf = () => String(new FormData(form.current ?? undefined).get("email")).trim();
  const sendMail = () => {
    if (form.current?.querySelector<HTMLInputElement>("[name=email]")?.reportValidity())
      mail.mutate(emailOf());
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const [code, password] = [String(data.get("code")).trim(), String(data.get("password"))];
    const found = {
      code: code.length < MIN_CODE ? "The code is longer: four groups of four." : undefined,
      password: newPasswordFault(password),
    };
    setFaults(found);
    reset.reset();
    if (found.code) focus("code");
    else if (found.password) focus("password");
    else reset.mutate({ email: emailOf(), code, password });
  };

  const problem = reset.error && asProblem(reset.error);
  const wrongCode = problem?.code === "invalid_reset_code" ? problem.message : undefined;
  const refused = refusedPassword(problem, "password");
  const emailFault = (problem ?? (mail.error && asProblem(mail.error)))?.fieldMessage("email");
  const general = problem ?? (mail.error && asProblem(mail.error));
  const busy = reset.isPending || reset.isSuccess;
  return (
    <>
      <h1 className="font-semibold text-2xl tracking-tight">Set a new password</h1>
      <p className="mt-1 text-muted text-sm">
        {options.data && !options.data.mail
          ? "You need a code. Whoever runs this site can make one for you. "
          : "You need a code. "}
        <Link href="/login" className="font-medium text-accent underline underline-offset-4">
          Back to the login
        </Link>
      </p>
      <form ref={form} onSubmit={submit} className="mt-6 grid gap-4">
        {general && !wrongCode && !refused && !emailFault && <ErrorNote>{general.message}</ErrorNote>}
        <Field label="Email" name="email" type="email" autoComplete="username" required error={emailFault} />
        {options.data?.mail && (
          <div className="grid gap-2">
            <Button onClick={sendMail} disabled={mail.isPending}>
              {mail.isSuccess ? "Send another code" : "Send me a code"}
            </Button>
            <p role="status" className="text-good text-sm empty:hidden">
              {mail.isSuccess && "If there is an account with this address, a code is on its way."}
            </p>
          </div>
        )}
        <Field
          label="Code"
          name="code"
          autoComplete="one-time-code"
          autoCapitalize="characters"
          spellCheck={false}
          required
          maxLength={40}
          hint="Four groups of four. It works once, and within an hour."
          error={faults.code ?? wrongCode}
        />
        <NewPasswordField label="New password" name="password" error={faults.password ?? refused} />
        <Button type="submit" tone="primary" size="large" disabled={busy}>
          {busy ? "One moment…" : "Set password and log in"}
        </Button>
        <p className="text-muted text-sm">You are logged out everywhere, and API tokens are revoked.</p>
      </form>
    </>
  );
}
