"use client";

import type { ReactNode } from "react";
import { RuntimeProvider, useRuntime } from "@/lib/runtime";
import { useSession } from "@/lib/session";

/** Pages for who is logged in. Where the cookie is another host's, the pages' server cannot say who; the API can. */
export function SignedIn({ children }: { children: ReactNode }) {
  const { userId } = useRuntime();
  return userId ? children : <Ask>{children}</Ask>;
}

function Ask({ children }: { children: ReactNode }) {
  const { apiUrl } = useRuntime();
  const session = useSession();
  if (!session.data) return null;
  return (
    <RuntimeProvider apiUrl={apiUrl} userId={session.data.id}>
      {children}
    </RuntimeProvider>
  );
}
