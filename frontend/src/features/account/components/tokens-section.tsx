"use client";

import { KeyRound } from "lucide-react";
import dynamic from "next/dynamic";
import { type FormEvent, useRef, useState } from "react";
import { useCreateToken, useRevokeToken, useTokens } from "@/features/account/api/use-account";
import { asProblem } from "@/lib/api/problem";
import type { ApiToken, Scope } from "@/lib/api/types";
import { dayAndTime } from "@/lib/dates";
import { Button } from "@/ui/button";
import { ErrorNote, Field } from "@/ui/field";
import { Select } from "@/ui/select";
import { NewToken } from "./new-token";
import { SettingsList, SettingsSection } from "./settings-section";

const Dialog = dynamic(() => import("@/ui/dialog").then((module) => module.Dialog));

const SCOPES = [
  { value: "read", label: "Read only" },
  { value: "write", label: "Read and write" },
] as const satisfies { value: Scope; label: string }[];
const MAX_NAME = 100;

/** API tokens, for programs that use the account. */
export function TokensSection() {
  const tokens = useTokens();
  const create = useCreateToken();
  const revoke = useRevokeToken();
  const [scope, setScope] = useState<Scope>("read");
  const [revoking, setRevoking] = useState<ApiToken>();
  const form = useRef<HTMLFormElement>(null);
  const items = tokens.data?.items ?? [];

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name")).trim();
    if (name) create.mutate({ name, scope }, { onSuccess: () => form.current?.reset() });
  };

  const end = (token: ApiToken) => {
    if (create.data?.id === token.id) create.reset();
    setRevoking(undefined);
    // The row goes away, and with it the button that has the focus.
    revoke.mutate(token, { onSuccess: () => form.current?.querySelector("input")?.focus() });
  };

  const problem = create.error && asProblem(create.error);
  const fault = problem?.fieldMessage("name");
  return (
    <SettingsSection
      title="API tokens"
      text="For programs that read or change your tasks. None of them can change the account."
    >
      <form ref={form} onSubmit={submit} className="flex w-full flex-wrap items-end gap-2">
        <Field
          label="What the token is for"
          name="name"
          placeholder="Backup of my tasks"
          maxLength={MAX_NAME}
          autoComplete="off"
          required
          error={fault}
          className="min-w-48 grow"
        />
        <Select label="What it may do" value={scope} onChoose={setScope} options={SCOPES} size="large" />
        <Button type="submit" className="h-11" disabled={create.isPending}>
          Make a token
        </Button>
      </form>
      {problem && !fault && <ErrorNote>{problem.message}</ErrorNote>}
      {create.data && <NewToken key={create.data.id} token={create.data} onDone={create.reset} />}
      {tokens.isError && (
        <>
          <ErrorNote>{asProblem(tokens.error).message}</ErrorNote>
          <Button onClick={() => tokens.refetch()}>Try again</Button>
        </>
      )}
      {items.length > 0 && (
        <SettingsList>
          {items.map((token) => (
            <li key={token.id} className="flex items-center gap-3 px-4 py-3">
              <KeyRound aria-hidden className="size-5 shrink-0 text-muted" />
              <div className="min-w-0 flex-1">
                <p dir="auto" className="font-medium text-sm [overflow-wrap:anywhere]">
                  {token.name}
                </p>
                <p className="text-muted text-sm">
                  {SCOPES.find(({ value }) => value === token.scope)?.label}
                  {token.last_used_at ? `, last used ${dayAndTime(token.last_used_at)}` : ", never used"}
                </p>
              </div>
              <Button size="small" aria-label={`Revoke “${token.name}”`} onClick={() => setRevoking(token)}>
                Revoke
              </Button>
            </li>
          ))}
        </SettingsList>
      )}
      {revoking && (
        <Dialog
          open
          onOpenChange={() => setRevoking(undefined)}
          title="Revoke this token?"
          description={`Programs that use “${revoking.name}” are shut out at once. It cannot be made valid again.`}
        >
          <div className="flex justify-end gap-2">
            <Button onClick={() => setRevoking(undefined)}>Keep it</Button>
            <Button tone="danger" onClick={() => end(revoking)}>
              Revoke
            </Button>
          </div>
        </Dialog>
      )}
    </SettingsSection>
  );
}
