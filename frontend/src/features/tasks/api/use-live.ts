"use client";

import { onlineManager, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Ready, TaskChange } from "@/lib/api/types";
import { ROOTS } from "@/lib/query-keys";
import { useRuntime } from "@/lib/runtime";
import { cachedTask } from "./cache";
import { taskQueries } from "./queries";

/** Several changes in a row are read at once. */
const GATHER_MS = 100;
/** A browser gives up where the server refuses, as one that starts or has too much to do does. */
const AGAIN_MS = 5_000;

/** Whether the lists show what was changed already, as they do where it was changed here. */
function isKnown(client: QueryClient, { change, task_id, version }: TaskChange): boolean {
  const cached = cachedTask(client, task_id);
  return change === "deleted" ? !cached : cached !== undefined && cached.version >= version;
}

/**
 * Shows what other windows, and the assistant, change. While nobody sees the page, or there is no network, nothing is
 * listened for: browsers have few connections to a server for all their windows. Afterwards all is read anew.
 */
export function useLive(): void {
  const { apiUrl } = useRuntime();
  const client = useQueryClient();
  useEffect(() => {
    let source: EventSource | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    let gathering: ReturnType<typeof setTimeout> | undefined;
    let begun = false;

    const refresh = () => {
      gathering ??= setTimeout(() => {
        gathering = undefined;
        // What is on its way reads the lists anew when it is through.
        const keys = client.isMutating({ mutationKey: taskQueries.lists() })
          ? [ROOTS.task]
          : [taskQueries.lists(), ROOTS.task, ROOTS.trash];
        for (const queryKey of keys) void client.invalidateQueries({ queryKey });
      }, GATHER_MS);
    };
    const close = () => {
      clearTimeout(again);
      source?.close();
      source = undefined;
    };
    const open = () => {
      close();
      if (document.hidden || !onlineManager.isOnline()) return;
      source = new EventSource(`${apiUrl}/api/events`, { withCredentials: Boolean(apiUrl) });
      source.addEventListener("ready", ({ data }) => {
        // The first time the lists have just been read.
        if (begun && !(JSON.parse(data) as Ready).resumed) refresh();
        begun = true;
      });
      source.addEventListener("task", ({ data }) => {
        if (!isKnown(client, JSON.parse(data))) refresh();
      });
      source.addEventListener("error", () => {
        if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MS);
      });
    };
    open();
    document.addEventListener("visibilitychange", open);
    const ignoreNetwork = onlineManager.subscribe(open);
    return () => {
      document.removeEventListener("visibilitychange", open);
      ignoreNetwork();
      clearTimeout(gathering);
      close();
    };
  }, [apiUrl, client]);
}
