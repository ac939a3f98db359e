"use client";

import { useMutation } from "@tanstack/react-query";
import { unwrap } from "@/lib/api/client";
import { logout } from "@/lib/api/generated";
import { asProblem } from "@/lib/api/problem";
import { forgetDrafts } from "@/lib/drafts";
import { forgetKept } from "@/lib/kept";
import { forgetPages } from "@/lib/kept-pages";
import { useRuntime } from "@/lib/runtime";
import { useToast } from "@/ui/toast";

/** A new page, not a new view: nothing of this user's stays in memory, and nothing asks the API again. */
export async function leave(page: "/" | "/login"): Promise<void> {
  forgetDrafts();
  forgetKept();
  await forgetPages();
  location.assign(page);
}

/** Ends the session of this browser. */
export function useLogout() {
  const { api } = useRuntime();
  const toast = useToast();
  return useMutation({
    mutationFn: () => unwrap(logout({ client: api })),
    onSuccess: () => leave("/login"),
    onError: (error) =>
      toast({ tone: "error", text: `You are still logged in. ${asProblem(error).message}` }),
  });
}
