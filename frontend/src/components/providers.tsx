"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { setNonce } from "get-nonce";
import { useRouter } from "next/navigation";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { type Api, createApi } from "@/lib/api/client";
import { createQueryClient } from "@/lib/query-client";
import { ToastProvider } from "./ui/toast";

type Runtime = { api: Api; apiUrl: string };

const RuntimeContext = createContext<Runtime | null>(null);

/** The API client and the base URL that the server found in its environment. */
export function useRuntime(): Runtime {
  const runtime = useContext(RuntimeContext);
  if (!runtime) throw new Error("useRuntime needs Providers above it");
  return runtime;
}

const here = () => location.pathname + location.search;

/**
 * The nonce that this document's policy allows, for the styles that dialogs set. It is that of the first
 * page that was loaded: later pages come without a document of their own, and so without a new policy.
 */
function documentNonce(): string | undefined {
  return document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce;
}

/** What pages that talk to the API need: its client, the query cache, and messages. */
export function Providers({ apiUrl, children }: { apiUrl: string; children: ReactNode }) {
  const [runtime] = useState(() => ({ api: createApi(apiUrl), apiUrl }));
  const router = useRouter();
  const [queryClient] = useState(() =>
    createQueryClient(() => router.replace(`/login?expired&next=${encodeURIComponent(here())}`)),
  );
  useEffect(() => {
    const nonce = documentNonce();
    if (nonce) setNonce(nonce);
  }, []);
  return (
    <RuntimeContext value={runtime}>
      <QueryClientProvider client={queryClient}>
        <ToastProvider>{children}</ToastProvider>
      </QueryClientProvider>
    </RuntimeContext>
  );
}
