import { requestKey } from "./request-key";

/**
 * What has to outlive the page: kept in this browser for one user, and for the window that it belongs to. When that is
 * closed, the next one takes it over.
 */
const PREFIX = "todo.kept.";
const WINDOW = "todo.window";

const keyOf = (userId: string, name: string, window: string) => `${PREFIX}${userId}.${name}.${window}`;

export function keep(userId: string, name: string, window: string, text: string): void {
  try {
    if (text) localStorage.setItem(keyOf(userId, name, window), text);
    else localStorage.removeItem(keyOf(userId, name, window));
  } catch {
    // Full, or not allowed: then it lives as long as the page.
  }
}

export const readKept = (userId: string, name: string, window: string): string =>
  localStorage.getItem(keyOf(userId, name, window)) ?? "";

/** Forgets everybody's: nothing private stays after a logout. */
export function forgetKept(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
}

/** Says as long as the page lives that this window is there, and whether it was not before. */
function claim(window: string): Promise<boolean> {
  // Only with TLS, or on this machine, do browsers tell windows of each other: elsewhere none takes over another's.
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request(`${WINDOW}.${window}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock ? new Promise(() => {}) : undefined;
    });
  });
}

/** The name of this window, which stays after a reload. A copy of a window is another one. */
export async function windowName(): Promise<string> {
  const known = sessionStorage.getItem(WINDOW);
  if (known && (await claim(known))) return known;
  const name = requestKey();
  sessionStorage.setItem(WINDOW, name);
  await claim(name);
  return name;
}

/** What windows that are closed have left for this user under this name; it is this window's from now on. */
export async function inherit(userId: string, name: string): Promise<string[]> {
  if (!navigator.locks) return [];
  const start = keyOf(userId, name, "");
  const left = await Promise.all(
    Object.keys(localStorage)
      .filter((key) => key.startsWith(start))
      .map((key) =>
        navigator.locks.request(`${WINDOW}.${key.slice(start.length)}`, { ifAvailable: true }, (lock) => {
          const text = lock && localStorage.getItem(key);
          if (text) localStorage.removeItem(key);
          return text ?? "";
        }),
      ),
  );
  return left.filter(Boolean);
}
