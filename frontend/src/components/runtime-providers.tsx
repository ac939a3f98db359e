import { headers } from "next/headers";
import { connection } from "next/server";
import type { ReactNode } from "react";
import { publicApiUrl } from "@/lib/config";
import { Providers } from "./providers";

/** Hands down to the browser what only the server knows: its settings and the nonce of this answer. */
export async function RuntimeProviders({ children }: { children: ReactNode }) {
  await connection();
  const nonce = (await headers()).get("x-nonce") ?? undefined;
  return (
    <Providers apiUrl={publicApiUrl()} nonce={nonce}>
      {children}
    </Providers>
  );
}
