"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { unwrap } from "@/lib/api/client";
import {
  changePassword,
  createToken,
  deleteAccount,
  endOtherSessions,
  endSession,
  revokeToken,
} from "@/lib/api/generated";
import { asProblem } from "@/lib/api/problem";
import type { ApiToken, ApiTokenNew, PasswordChange, SessionInfo } from "@/lib/api/types";
import { useRuntime } from "@/lib/runtime";
import { useToast } from "@/ui/toast";
import { leave } from "./leave";
import { accountQueries } from "./queries";

/** Deletes the account for good; the API asks for the password once more. */
export function useDeleteAccount() {
  const { api } = useRuntime();
  return useMutation({
    mutationFn: (password: string) => unwrap(deleteAccount({ client: api, body: { password } })),
    onSuccess: () => leave("/"),
  });
}

/** Sets another password, which ends all other sessions. */
export function useChangePassword() {
  const runtime = useRuntime();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: PasswordChange) => unwrap(changePassword({ client: runtime.api, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: accountQueries.sessions(runtime).queryKey }),
  });
}

export function useSessions() {
  return useQuery(accountQueries.sessions(useRuntime()));
}

/** Ends one other session, or all others. */
export function useEndSessions() {
  const runtime = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  const { queryKey } = accountQueries.sessions(runtime);
  return useMutation({
    mutationFn: (one: SessionInfo | undefined) =>
      unwrap(
        one
          ? endSession({ client: runtime.api, path: { session_id: one.id } })
          : endOtherSessions({ client: runtime.api }),
      ).catch((error) => {
        if (asProblem(error).status !== 404) throw error; // it has ended already
      }),
    onSuccess: (_data, one) =>
      client.setQueryData(
        queryKey,
        (old) => old && { items: old.items.filter(({ id, current }) => current || (one && id !== one.id)) },
      ),
    onError: (error) => toast({ tone: "error", text: `Not logged out. ${asProblem(error).message}` }),
    onSettled: () => client.invalidateQueries({ queryKey }),
  });
}

export function useTokens() {
  return useQuery(accountQueries.tokens(useRuntime()));
}

/** Makes an API token; the answer alone has it. */
export function useCreateToken() {
  const runtime = useRuntime();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ApiTokenNew) => unwrap(createToken({ client: runtime.api, body })),
    onSettled: () => client.invalidateQueries({ queryKey: accountQueries.tokens(runtime).queryKey }),
  });
}

export function useRevokeToken() {
  const runtime = useRuntime();
  const client = useQueryClient();
  const toast = useToast();
  const { queryKey } = accountQueries.tokens(runtime);
  return useMutation({
    mutationFn: (token: ApiToken) =>
      unwrap(revokeToken({ client: runtime.api, path: { token_id: token.id } })).catch((error) => {
        if (asProblem(error).status !== 404) throw error; // it is worth nothing already
      }),
    onSuccess: (_data, token) => {
      client.setQueryData(queryKey, (old) => old && { items: old.items.filter(({ id }) => id !== token.id) });
      toast({ text: `“${token.name}” is worth nothing any more` });
    },
    onError: (error, token) =>
      toast({ tone: "error", text: `“${token.name}” was not revoked. ${asProblem(error).message}` }),
    onSettled: () => client.invalidateQueries({ queryKey }),
  });
}
