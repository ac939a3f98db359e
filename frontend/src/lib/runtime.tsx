"use client";

import { createContext, type ReactNode, useContext, useState } from "react";
import { type Api, createApi } from "./api/client";

/** `userId` is whom the page is for; empty where nobody is logged in. */
export type Runtime = { api: Api; apiUrl: string; userId: string };

const RuntimeContext = createContext<Runtime | null>(null);

type RuntimeProviderProps = { apiUrl: string; userId?: string; children: ReactNode };

/** Hands down the API's client, for the base URL and the user that the server found. */
export function RuntimeProvider({ apiUrl, userId = "", children }: RuntimeProviderProps) {
  const [runtime] = useState(() => ({ api: createApi(apiUrl, userId), apiUrl, userId }));
  return <RuntimeContext value={runtime}>{children}</RuntimeContext>;
}

/** The API's client, the base URL of its calls, and who makes them. */
export function useRuntime(): Runtime {
  const runtime = useContext(RuntimeContext);
  if (!runtime) throw new Error("useRuntime needs a RuntimeProvider above it");
  return runtime;
}
