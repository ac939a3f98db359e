"use client";

import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { type FormEvent, useRef, useState } from "react";
import { unwrap } from "@/lib/api/client";
import { login, register } from "@/lib/api/generated";
import { asProblem } from "@/lib/api/problem";
import { forgetPages } from "@/lib/kept-pages";
import { newPasswordFault, refusedPassword } from "@/lib/passwords";
import { useRuntime } from "@/lib/runtime";
import { Button } from "@/ui/button";
import { ErrorNote, Field, PasswordField } from "@/ui/field";
import { NewPasswordField } from "@/ui/new-password-field";

type AuthFormProps = { mode: "login" | "register"; next: string; expired: boolean };

/** Logs in or registers, then goes on to `next`. */
export function AuthForm({ mode, next, expired }: AuthFormProps) {
  const { api } = useRuntime();
  const router = useRouter();
  const form = useRef<HTMLFormElement>(null);
  const [passwordFault, setPasswordFault] = useState<string>();
  const registering = mode === "register";

  const submit = useMutation({
    mutationFn: (body: { email: string; password: string }) =>
      unwrap((registering ? register : login)({ client: api, body })),
    onSuccess: async () => {
      await forgetPages(); // those of who was logged in before
      router.replace(next as "/tasks");
    },
    onError: (error) => {
      const problem = asProblem(error);
      const password = problem.code === "invalid_credentials" || refusedPassword(problem, "password");
      const wrong = password ? "password" : "email";
      form.current?.querySelector<HTMLInputElement>(`[name=${wrong}]`)?.focus();
    },
  });

  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const password = String(data.get("password"));
    const fault = registering ? newPasswordFault(password) : undefined;
    setPasswordFault(fault);
    if (fault) form.current?.querySelector<HTMLInputElement>("[name=password]")?.focus();
    else submit.mutate({ email: String(data.get("email")).trim(), password });
  };

  const problem = submit.error && asProblem(submit.error);
  const emailFault = problem?.fieldMessage("email");
  const serverPasswordFault = refusedPassword(problem, "password");
  const other = next === "/tasks" ? "" : `?next=${encodeURIComponent(next)}`;
  return (
    <>
      <h1 className="font-semibold text-2xl tracking-tight">
        {registering ? "Create your account" : "Welcome back"}
      </h1>
      <p className="mt-1 text-muted text-sm">
        {registering ? "Already have one? " : "New here? "}
        <Link
          href={`${registering ? "/login" : "/register"}${other}` as "/login"}
          className="font-medium text-accent underline underline-offset-4"
        >
          {registering ? "Log in" : "Create an account"}
        </Link>
      </p>
      <form ref={form} onSubmit={onSubmit} className="mt-6 grid gap-4">
        {expired && !problem && (
          <p role="status" className="rounded-lg bg-warn-tint px-3 py-2.5 text-sm text-warn">
            Your session has ended. Log in again to go on.
          </p>
        )}
        {problem && !emailFault && !serverPasswordFault && <ErrorNote>{problem.message}</ErrorNote>}
        <Field label="Email" name="email" type="email" autoComplete="email" required error={emailFault} />
        {registering ? (
          <NewPasswordField label="Password" name="password" error={passwordFault ?? serverPasswordFault} />
        ) : (
          <PasswordField
            label="Password"
            name="password"
            autoComplete="current-password"
            required
            error={serverPasswordFault}
          />
        )}
        {!registering && (
          <Link
            href="/reset"
            className="-mt-2 justify-self-start text-accent text-sm underline underline-offset-4"
          >
            Forgot your password?
          </Link>
        )}
        <Button type="submit" tone="primary" size="large" disabled={submit.isPending || submit.isSuccess}>
          {submit.isPending || submit.isSuccess ? "One moment…" : registering ? "Create account" : "Log in"}
        </Button>
      </form>
    </>
  );
}
