"use client";

import { Moon, Sun } from "lucide-react";
import { chooseTheme, currentTheme } from "@/lib/theme";
import { IconButton } from "./ui/button";

/** Switches between light and dark. Which icon shows is decided by style alone, so nothing flickers. */
export function ThemeButton({ className }: { className?: string }) {
  const toggle = () => {
    const systemDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const dark = currentTheme() === "dark" || (!currentTheme() && systemDark);
    chooseTheme(dark ? "light" : "dark");
  };
  return (
    <IconButton label="Switch between light and dark" onClick={toggle} className={className}>
      <Sun aria-hidden className="hidden size-5 dark:block" />
      <Moon aria-hidden className="size-5 dark:hidden" />
    </IconButton>
  );
}
