import { connection } from "next/server";
import type { ReactNode } from "react";
import { publicApiUrl } from "@/lib/config";
import { Providers } from "./providers";

/** Hands down to the browser what only the server knows: its settings. */
export async function RuntimeProviders({ children }: { children: ReactNode }) {
  await connection();
  return <Providers apiUrl={publicApiUrl()}>{children}</Providers>;
}
