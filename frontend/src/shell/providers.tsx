"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { setNonce } from "get-nonce";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { type ReactNode, useEffect, useState } from "react";
import { createQueryClient } from "@/lib/query-client";
import { RuntimeProvider } from "@/lib/runtime";
import { ToastProvider } from "@/ui/toast";

const OtherUserDialog = dynamic(() => import("./other-user-dialog").then((module) => module.OtherUserDialog));

const here = () => location.pathname + location.search;

/**
 * The nonce that this document's policy allows, for the styles that dialogs set. It is that of the first
 * page that was loaded: later pages come without a document of their own, and so without a new policy.
 */
function documentNonce(): string | undefined {
  return document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce;
}

type ProvidersProps = { apiUrl: string; userId?: string; children: ReactNode };

/** What pages that talk to the API need: its client, the query cache, and messages. */
export function Providers({ apiUrl, userId, children }: ProvidersProps) {
  const router = useRouter();
  const [otherUser, setOtherUser] = useState(false);
  const [queryClient] = useState(() =>
    createQueryClient(
      () => router.replace(`/login?expired&next=${encodeURIComponent(here())}`),
      () => setOtherUser(true),
    ),
  );
  useEffect(() => {
    const nonce = documentNonce();
    if (nonce) setNonce(nonce);
  }, []);
  return (
    <RuntimeProvider apiUrl={apiUrl} userId={userId}>
      <QueryClientProvider client={queryClient}>
        <ToastProvider>{children}</ToastProvider>
        {otherUser && <OtherUserDialog />}
      </QueryClientProvider>
    </RuntimeProvider>
  );
}
