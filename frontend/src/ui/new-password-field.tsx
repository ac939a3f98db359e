"use client";

import { MIN_PASSWORD } from "@/lib/passwords";
import { PasswordField } from "./field";

type NewPasswordFieldProps = { label: string; name: string; error: string | undefined };

/** The field for a password that is to be set. */
export function NewPasswordField(props: NewPasswordFieldProps) {
  return (
    <PasswordField
      {...props}
      autoComplete="new-password"
      required
      hint={`At least ${MIN_PASSWORD} characters.`}
    />
  );
}
