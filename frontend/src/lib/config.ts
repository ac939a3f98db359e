/**
 * Settings read from the environment while the server runs, never at build time: one image serves any
 * environment. Variables are looked up by a computed name, because Next replaces a literal
 * `process.env.NEXT_PUBLIC_…` with the value that was set when the image was built.
 */

/** A setting that cannot be used; the message names the variable, the fault and the remedy. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

export type Environment = Record<string, string | undefined>;

const API_URL = "NEXT_PUBLIC_API_URL";
const BACKEND_URL = "BACKEND_URL";

function httpUrl(name: string, raw: string): URL {
  const url = URL.parse(raw);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new ConfigError(`${name} is no http(s) URL: write it like https://todo.example.com`);
  }
  if (url.username || url.password) throw new ConfigError(`${name} must not carry a user name or password`);
  if (url.search || url.hash) throw new ConfigError(`${name} must not have a query or a fragment`);
  return url;
}

/**
 * Origin (and path prefix, if any) that the browser puts before `/api/…`; empty for relative calls.
 * A trailing slash, and a trailing `/api` since every call brings its own, are dropped.
 */
export function publicApiUrl(env: Environment = process.env): string {
  const raw = env[API_URL]?.trim();
  if (!raw) return "";
  const url = httpUrl(API_URL, raw);
  return url.origin + url.pathname.replace(/\/+$/, "").replace(/\/api$/, "");
}

/** Where the route handler passes `/api` on to; undefined where an ingress does that. */
export function backendUrl(env: Environment = process.env): URL | undefined {
  const raw = env[BACKEND_URL]?.trim();
  if (!raw) return undefined;
  const url = httpUrl(BACKEND_URL, raw);
  if (url.pathname !== "/") throw new ConfigError(`${BACKEND_URL} must be an origin without a path`);
  return url;
}
