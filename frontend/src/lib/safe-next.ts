/** Where to go after the login: a path on this site and never another one, whatever the link said. */
export function safeNext(next: string | string[] | undefined): string {
  if (typeof next !== "string" || !next.startsWith("/")) return "/tasks";
  const base = "http://site.invalid";
  const url = URL.parse(next, base);
  return url?.origin === base && !url.pathname.startsWith("//") ? url.pathname + url.search : "/tasks";
}
