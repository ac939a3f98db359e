/** Names of the HttpOnly cookie in which the API keeps the session: over HTTP, and over TLS. */
const SESSION_COOKIES = ["session", "__Host-session"];

/** Whether a request brings a session, as far as its cookies tell; the API alone knows whether it still counts. */
export function hasSession(cookies: { has(name: string): boolean }): boolean {
  return SESSION_COOKIES.some((name) => cookies.has(name));
}
