/** Name of the HttpOnly cookie in which the API keeps the session. */
export const SESSION_COOKIE = "session";
