/** Names of the HttpOnly cookie in which the API keeps the session: over HTTP, and over TLS. */
const SESSION_COOKIES = ["session", "__Host-session"] as const;

/** Whether a request brings a session, as far as its cookies tell; the API alone knows whether it still counts. */
export function hasSession(cookies: { has(name: string): boolean }): boolean {
  return SESSION_COOKIES.some((name) => cookies.has(name));
}

/**
 * Whose session a request brings, by its token, which is not verified: the pages say with each call to the API whom
 * they mean, and it is the API that compares. Undefined where there is none, or none that can be read.
 */
export function sessionUser(
  cookies: { get(name: string): { value: string } | undefined },
  tls: boolean,
): string | undefined {
  const [, payload = ""] = cookies.get(SESSION_COOKIES[tls ? 1 : 0])?.value.split(".") ?? [];
  try {
    const { sub } = JSON.parse(Buffer.from(payload, "base64url").toString());
    return typeof sub === "string" ? sub : undefined;
  } catch {
    return undefined;
  }
}
