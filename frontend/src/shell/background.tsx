"use client";

import { useLive } from "@/features/tasks/api/use-live";
import { useQueue } from "@/features/tasks/api/use-queue";
import { useServiceWorker } from "./use-service-worker";

/** Nothing to be seen: what goes on behind every page. A part of its own, for which the page does not wait. */
export function Background() {
  useLive();
  useQueue();
  useServiceWorker();
  return null;
}
