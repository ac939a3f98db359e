/** The cache in which the service worker (public/sw.js) keeps pages. They say whose they are. */
const PAGES = "todo-pages";
const KEPT_FOR = "todo.kept-for";

/** Forgets the pages that are kept. Browsers have caches on pages with TLS, or of this machine, alone. */
export async function forgetPages(): Promise<void> {
  try {
    localStorage.removeItem(KEPT_FOR);
    if ("caches" in globalThis) await caches.delete(PAGES);
  } catch {
    // Where a browser allows neither, nothing was kept.
  }
}

/** Sees to it that what is kept is this user's. */
export async function keepPagesFor(userId: string): Promise<void> {
  if (localStorage.getItem(KEPT_FOR) !== userId) await forgetPages();
  localStorage.setItem(KEPT_FOR, userId);
}
