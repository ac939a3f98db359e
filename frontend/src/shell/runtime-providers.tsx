import { cookies, headers } from "next/headers";
import { connection } from "next/server";
import type { ReactNode } from "react";
import { publicApiUrl } from "@/lib/config";
import { sessionUser } from "@/lib/session-cookie";
import { Providers } from "./providers";

/** Hands down to the browser what only the server knows: its settings, and whose session the request brings. */
export async function RuntimeProviders({ children }: { children: ReactNode }) {
  await connection();
  const tls = (await headers()).get("x-forwarded-proto")?.startsWith("https") ?? false;
  return (
    <Providers apiUrl={publicApiUrl()} userId={sessionUser(await cookies(), tls)}>
      {children}
    </Providers>
  );
}
