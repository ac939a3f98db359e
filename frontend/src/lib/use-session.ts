"use client";

import { useQuery } from "@tanstack/react-query";
import { useRuntime } from "@/components/providers";
import { unwrap } from "./api/client";

/** The account that is logged in. */
export function useSession() {
  const { api } = useRuntime();
  return useQuery({
    queryKey: ["session"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/auth/me", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
