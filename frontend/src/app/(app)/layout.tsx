import type { ReactNode } from "react";
import { AppShell } from "@/shell/app-shell";
import { RuntimeProviders } from "@/shell/runtime-providers";

export default function AppLayout({ children }: { children: ReactNode }) {
  return (
    <RuntimeProviders>
      <AppShell>{children}</AppShell>
    </RuntimeProviders>
  );
}
