import { forgetPages } from "./kept-pages";

/** Colour themes a user can choose; without a choice the system's preference decides. */
export type Theme = "light" | "dark";

/** Cookie that keeps the choice, so that the server renders the right theme from the first byte. */
export const THEME_COOKIE = "todo_theme";

const ONE_YEAR_S = 365 * 24 * 60 * 60;

export function isTheme(value: unknown): value is Theme {
  return value === "light" || value === "dark";
}

/** The choice in force on this page; undefined means "like the system". */
export function currentTheme(): Theme | undefined {
  const value = document.documentElement.dataset.theme;
  return isTheme(value) ? value : undefined;
}

/** Applies a choice at once and keeps it for later visits; undefined returns to the system's preference. */
export function chooseTheme(theme: Theme | undefined): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = theme ? ONE_YEAR_S : 0;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  // They were rendered with the other one.
  void forgetPages();
  document.cookie = `${THEME_COOKIE}=${theme ?? ""}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
}
