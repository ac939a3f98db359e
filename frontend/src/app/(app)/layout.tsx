import type { ReactNode } from "react";
import { AppShell } from "@/shell/app-shell";
import { RuntimeProviders } from "@/shell/runtime-providers";
import { SignedIn } from "@/shell/signed-in";

export default function AppLayout({ children }: { children: ReactNode }) {
  return (
    <RuntimeProviders>
      <SignedIn>
        <AppShell>{children}</AppShell>
      </SignedIn>
    </RuntimeProviders>
  );
}
