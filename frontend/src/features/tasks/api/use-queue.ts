"use client";

import {
  dehydrate,
  hydrate,
  type Mutation,
  onlineManager,
  type QueryClient,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect } from "react";
import { removeTask, replaceTask } from "@/features/tasks/model/lists";
import { asProblem } from "@/lib/api/problem";
import type { Task } from "@/lib/api/types";
import { keepDraft, readDraft } from "@/lib/drafts";
import { inherit, keep, readKept, windowName } from "@/lib/kept";
import { ROOTS } from "@/lib/query-keys";
import { type Runtime, useRuntime } from "@/lib/runtime";
import { useToast } from "@/ui/toast";
import { changeLists } from "./cache";
import { useEdits } from "./edits";
import { refetchWhenQuiet } from "./refetch";
import {
  CHANGES,
  type Change,
  currentOf,
  NEW_TASK,
  type NewTask,
  sendChange,
  sendDeletion,
  sendNew,
  sendRestoration,
} from "./send";

const QUEUE = "queue";
const LISTS = "lists";
/** Lists change often; what is shown without a network need not be of this instant. */
const LISTS_MS = 500;
/** The lists are the same in every window. */
const ANY = "any";

/** Whether it is not the change that was refused: no answer, a fault of the server, or nobody, or another, logged in. */
function canWait(error: unknown): boolean {
  const { code, status } = asProblem(error);
  return status === 0 || status >= 500 || code === "not_authenticated" || code === "other_user";
}

/**
 * A new task on its way counts, too: it may not have arrived, and can be sent again by the name that it has. What was
 * left by an earlier page, and could not be sent by this one, waits for the next.
 */
const isChange = ({ options, state, meta }: Mutation) =>
  options.mutationKey?.[0] === ROOTS.lists[0] &&
  (state.status === "pending"
    ? state.isPaused || options.mutationKey[1] === CHANGES.create[1]
    : state.status === "error" && meta?.wasLeft === true && canWait(state.error));

/** The changes that wait for a network, or for the one before. */
function queued(client: QueryClient): string {
  const { mutations } = dehydrate(client, {
    shouldDehydrateMutation: isChange,
    shouldDehydrateQuery: () => false,
  });
  if (mutations.length === 0) return "";
  return JSON.stringify(
    mutations.map((change) => ({
      ...change,
      meta: { wasLeft: true },
      state: { ...change.state, status: "pending", isPaused: true, error: null, failureReason: null },
    })),
  );
}

const lists = (client: QueryClient): string =>
  JSON.stringify(
    dehydrate(client, {
      shouldDehydrateMutation: () => false,
      shouldDehydrateQuery: ({ queryKey, state }) =>
        queryKey[0] === ROOTS.lists[0] && state.status === "success" && state.data !== undefined,
    }).queries,
  );

/**
 * Keeps changes that wait for a network, so that they outlive the page, and sends those that an earlier page has left,
 * in their order. Without a network the lists are shown as they were last.
 */
export function useQueue(): void {
  const runtime = useRuntime();
  const client = useQueryClient();
  // First: what is to become of a change is known before it is sent.
  useReplay(runtime, client);
  const { userId } = runtime;
  useEffect(() => {
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stops: (() => void)[] = [];

    const begin = async () => {
      if (!onlineManager.isOnline())
        hydrate(client, { queries: JSON.parse(readKept(userId, LISTS, ANY) || "[]") });
      const window = await windowName();
      const left = [readKept(userId, QUEUE, window), ...(await inherit(userId, QUEUE))].filter(Boolean);
      if (stopped) return;
      const mutations = left.flatMap((text) => JSON.parse(text));
      hydrate(client, { mutations });
      const keepQueue = () => keep(userId, QUEUE, window, queued(client));
      const keepLists = () => {
        timer = undefined;
        keep(userId, LISTS, ANY, lists(client));
      };
      keepQueue();
      stops.push(client.getMutationCache().subscribe(keepQueue));
      stops.push(
        client.getQueryCache().subscribe(({ query, type }) => {
          if (type === "updated" && query.queryKey[0] === ROOTS.lists[0])
            timer ??= setTimeout(keepLists, LISTS_MS);
        }),
      );
      const leave = () => timer && keepLists();
      addEventListener("pagehide", leave);
      stops.push(() => removeEventListener("pagehide", leave));
      if (mutations.length > 0) await client.resumePausedMutations();
    };
    void begin();
    return () => {
      stopped = true;
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  }, [client, userId]);
}

/** What becomes of changes of an earlier page: who made them is told of it here. */
function useReplay(runtime: Runtime, client: QueryClient): void {
  const toast = useToast();
  const edits = useEdits();
  const { userId } = runtime;
  useEffect(() => {
    const fail = (what: string, error: unknown) => {
      const next = canWait(error) ? " It is sent when this page is opened again." : "";
      toast({ tone: "error", text: `${what} ${asProblem(error).message}${next}` });
    };
    const onSettled = () => refetchWhenQuiet(client);
    client.setMutationDefaults(CHANGES.create, {
      mutationFn: (added: NewTask) => sendNew(runtime, added),
      onSuccess: (task, _added, draft) =>
        changeLists(client, (list) => replaceTask(list, (draft as Task | undefined)?.id ?? "", task as Task)),
      onError: (error, { body }: NewTask, draft) => {
        changeLists(client, (list) => removeTask(list, (draft as Task | undefined)?.id ?? ""));
        if (!canWait(error) && !readDraft(userId, NEW_TASK)) keepDraft(userId, NEW_TASK, body.title);
        fail(`“${body.title}” was not added.`, error);
      },
      onSettled,
    });
    client.setMutationDefaults(CHANGES.update, {
      mutationFn: (change: Change) => sendChange(runtime, change),
      onError: (error, { task, form }: Change) => {
        const current = currentOf(error);
        if (!form || !current) return void fail(`“${task.title}” was not changed.`, error);
        // The form opens with both: what is there by now, and what was to become of it.
        edits.rebase(form.edit, current);
        keepDraft(userId, "open", `${task.id} ${new Date().toISOString()}`);
      },
      onSettled,
    });
    client.setMutationDefaults(CHANGES.remove, {
      mutationFn: (removed: { task: Task }) => sendDeletion(runtime, removed),
      onError: (error, { task }: { task: Task }) => void fail(`“${task.title}” was not deleted.`, error),
      onSettled,
    });
    client.setMutationDefaults(CHANGES.restore, {
      mutationFn: (task: Task) => sendRestoration(runtime, task),
      onError: (error, task: Task) => void fail(`“${task.title}” was not brought back.`, error),
      onSettled,
    });
  });
}
