"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { useSession } from "@/lib/session";
import { Button } from "@/ui/button";
import { DataSection } from "./data-section";
import { PasswordSection } from "./password-section";
import { SessionsSection } from "./sessions-section";
import { SettingsSection } from "./settings-section";
import { TokensSection } from "./tokens-section";

const DeleteAccountDialog = dynamic(() =>
  import("./delete-account-dialog").then((module) => module.DeleteAccountDialog),
);

/** The page of the account: whose it is, how it is secured, and what becomes of what is in it. */
export function SettingsView() {
  const session = useSession();
  const [deleting, setDeleting] = useState(false);
  return (
    <div className="mx-auto w-full max-w-4xl px-4 py-6 sm:px-6 sm:py-8">
      <h1 className="font-bold text-2xl tracking-tight">Settings</h1>
      <p className="mt-1 mb-2 text-muted text-sm [overflow-wrap:anywhere]">
        The account of <span className="font-medium text-text">{session.data?.email ?? "…"}</span>
      </p>
      <PasswordSection email={session.data?.email} />
      <SessionsSection />
      <TokensSection />
      <DataSection />
      <SettingsSection title="Delete the account" text="With all tasks and conversations, for good.">
        <Button tone="danger" onClick={() => setDeleting(true)}>
          Delete account…
        </Button>
      </SettingsSection>
      {deleting && <DeleteAccountDialog onClose={() => setDeleting(false)} />}
    </div>
  );
}
