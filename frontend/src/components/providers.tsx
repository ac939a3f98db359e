"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { setNonce } from "get-nonce";
import { useRouter } from "next/navigation";
import { createContext, type ReactNode, useContext, useState } from "react";
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

type ProvidersProps = { apiUrl: string; nonce: string | undefined; children: ReactNode };

/** What every page needs: the API, the query cache, messages, and the nonce for styles set by dialogs. */
export function Providers({ apiUrl, nonce, children }: ProvidersProps) {
  const [runtime] = useState(() => ({ api: createApi(apiUrl), apiUrl }));
  const router = useRouter();
  const [queryClient] = useState(() =>
    createQueryClient(() => router.replace(`/login?expired&next=${encodeURIComponent(here())}`)),
  );
  if (nonce && typeof window !== "undefined") setNonce(nonce);
  return (
    <RuntimeContext value={runtime}>
      <QueryClientProvider client={queryClient}>
        <ToastProvider>{children}</ToastProvider>
      </QueryClientProvider>
    </RuntimeContext>
  );
}
