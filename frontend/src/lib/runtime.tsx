"use client";

import { createContext, type ReactNode, useContext, useState } from "react";
import { type Api, createApi } from "./api/client";

type Runtime = { api: Api; apiUrl: string };

const RuntimeContext = createContext<Runtime | null>(null);

/** Hands down the API's client for the base URL that the server found in its environment. */
export function RuntimeProvider({ apiUrl, children }: { apiUrl: string; children: ReactNode }) {
  const [runtime] = useState(() => ({ api: createApi(apiUrl), apiUrl }));
  return <RuntimeContext value={runtime}>{children}</RuntimeContext>;
}

/** The API's client, and the base URL of its calls. */
export function useRuntime(): Runtime {
  const runtime = useContext(RuntimeContext);
  if (!runtime) throw new Error("useRuntime needs a RuntimeProvider above it");
  return runtime;
}
