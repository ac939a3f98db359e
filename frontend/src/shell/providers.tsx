"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { createQueryClient } from "@/lib/query-client";
import { RuntimeProvider } from "@/lib/runtime";
import { ToastProvider } from "@/ui/toast";

const OtherUserDialog = dynamic(() => import("./other-user-dialog").then((module) => module.OtherUserDialog));

const here = () => location.pathname + location.search;

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
  return (
    <RuntimeProvider apiUrl={apiUrl} userId={userId}>
      <QueryClientProvider client={queryClient}>
        <ToastProvider>{children}</ToastProvider>
        {otherUser && <OtherUserDialog />}
      </QueryClientProvider>
    </RuntimeProvider>
  );
}
