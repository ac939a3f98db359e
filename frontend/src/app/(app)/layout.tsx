import type { ReactNode } from "react";
import { RuntimeProviders } from "@/components/runtime-providers";
import { AppShell } from "@/components/shell/app-shell";

export default function AppLayout({ children }: { children: ReactNode }) {
  return (
    <RuntimeProviders>
      <AppShell>{children}</AppShell>
    </RuntimeProviders>
  );
}
