"use client";

import { Moon, Sun } from "lucide-react";
import { chooseTheme, currentTheme } from "@/lib/theme";
import { IconButton } from "./button";

/** Switches between light and dark. Which icon shows is decided by style alone, so nothing flickers. */
export function ThemeButton({ className }: { className?: string }) {
  const toggle = () => {
    const systemDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const system = systemDark ? "dark" : "light";
    const next = (currentTheme() ?? system) === "dark" ? "light" : "dark";
    // Back at what the system says, the page follows the system again.
    chooseTheme(next === system ? undefined : next);
  };
  return (
    <IconButton label="Switch between light and dark" onClick={toggle} className={className}>
      <Sun aria-hidden className="hidden size-5 dark:block" />
      <Moon aria-hidden className="size-5 dark:hidden" />
    </IconButton>
  );
}
