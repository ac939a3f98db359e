"use client";

import { Monitor, Smartphone } from "lucide-react";
import { useRef } from "react";
import { useEndSessions, useSessions } from "@/features/account/api/use-account";
import { describeDevice } from "@/features/account/model/device";
import { asProblem } from "@/lib/api/problem";
import type { SessionInfo } from "@/lib/api/types";
import { dayAndTime } from "@/lib/dates";
import { Button } from "@/ui/button";
import { ErrorNote } from "@/ui/field";
import { SettingsList, SettingsSection } from "./settings-section";

/** Where the user is logged in, and how to end that. */
export function SessionsSection() {
  const sessions = useSessions();
  const end = useEndSessions();
  const items = sessions.data?.items ?? [];
  const status = useRef<HTMLParagraphElement>(null);
  // The button that was pressed goes away: what came of it takes the focus.
  const finish = (one?: SessionInfo) => end.mutate(one, { onSuccess: () => status.current?.focus() });
  return (
    <SettingsSection
      title="Where you are logged in"
      text="Log out what you do not know, and change your password then."
    >
      {sessions.isPending && <p className="text-muted text-sm">Loading…</p>}
      {sessions.isError && (
        <>
          <ErrorNote>{asProblem(sessions.error).message}</ErrorNote>
          <Button onClick={() => sessions.refetch()}>Try again</Button>
        </>
      )}
      {items.length > 0 && (
        <SettingsList>
          {items.map((session) => (
            <SessionRow
              key={session.id}
              session={session}
              disabled={end.isPending}
              onEnd={() => finish(session)}
            />
          ))}
        </SettingsList>
      )}
      {items.length > 1 && (
        <Button disabled={end.isPending} onClick={() => finish()}>
          Log out everywhere else
        </Button>
      )}
      <p ref={status} role="status" tabIndex={-1} className="text-good text-sm outline-none empty:hidden">
        {end.isSuccess &&
          (end.variables
            ? `${describeDevice(end.variables.device).label} is logged out.`
            : "You are logged out everywhere else.")}
      </p>
    </SettingsSection>
  );
}

type SessionRowProps = { session: SessionInfo; disabled: boolean; onEnd: () => void };

function SessionRow({ session, disabled, onEnd }: SessionRowProps) {
  const { label, phone } = describeDevice(session.device);
  const Icon = phone ? Smartphone : Monitor;
  return (
    <li className="flex items-center gap-3 px-4 py-3">
      <Icon aria-hidden className="size-5 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2 font-medium text-sm [overflow-wrap:anywhere]">
          {label}
          {session.current && (
            <span className="rounded-full bg-good-tint px-2 py-0.5 text-good text-xs">This browser</span>
          )}
        </p>
        <p className="text-muted text-sm">
          Last used {dayAndTime(session.last_used_at)}, since {dayAndTime(session.created_at)}
        </p>
      </div>
      {!session.current && (
        <Button
          size="small"
          aria-label={`Log out ${label}, since ${dayAndTime(session.created_at)}`}
          disabled={disabled}
          onClick={onEnd}
        >
          Log out
        </Button>
      )}
    </li>
  );
}
