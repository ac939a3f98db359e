import { type NextRequest, NextResponse } from "next/server";
import { publicApiUrl } from "@/lib/config";
import { safeNext } from "@/lib/safe-next";
import { hasSession } from "@/lib/session-cookie";

const PRIVATE_PAGES = /^\/(tasks|chat|trash|settings)(\/|$)/;

function contentSecurityPolicy(nonce: string, apiUrl: string): string {
  const development = process.env.NODE_ENV === "development";
  const directives = {
    "default-src": "'self'",
    "script-src": `'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ""}`,
    "style-src": development ? "'self' 'unsafe-inline'" : `'self' 'nonce-${nonce}'`,
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": `'self'${apiUrl ? ` ${new URL(apiUrl).origin}` : ""}`,
    "worker-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
  };
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");
}

/**
 * Gives every page its policy with a fresh nonce, and sends visitors without a session from the private pages
 * to the login page, and those with one from there to their tasks. The cookie is only a hint here: the API
 * alone decides, and who comes from it with an expired session stays at the login.
 */
export function proxy(request: NextRequest) {
  const apiUrl = publicApiUrl();
  const { pathname, search, searchParams } = request.nextUrl;
  const session = hasSession(request.cookies);
  if (!apiUrl && !session && PRIVATE_PAGES.test(pathname)) {
    const login = new URL("/login", request.url);
    login.searchParams.set("next", pathname + search);
    return NextResponse.redirect(login);
  }
  if (!apiUrl && session && pathname === "/login" && !searchParams.has("expired")) {
    return NextResponse.redirect(new URL(safeNext(searchParams.get("next") ?? undefined), request.url));
  }

  const nonce = crypto.randomUUID().replaceAll("-", "");
  const policy = contentSecurityPolicy(nonce, apiUrl);
  const headers = new Headers(request.headers);
  // Next takes the nonce for its own scripts from here.
  headers.set("content-security-policy", policy);

  const response = NextResponse.next({ request: { headers } });
  response.headers.set("Content-Security-Policy", policy);
  // Elsewhere browsers ignore it, and complain about it.
  if (isTrustworthy(request)) response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
  return response;
}

/** Whether browsers call this page's origin trustworthy: HTTPS, as the ingress tells, or a name of this machine. */
function isTrustworthy(request: NextRequest): boolean {
  const scheme = request.headers.get("x-forwarded-proto") ?? request.nextUrl.protocol;
  const host = (request.headers.get("host") ?? "").replace(/:\d+$/, "");
  return scheme.startsWith("https") || host === "127.0.0.1" || /(^|\.)localhost$/.test(host);
}

export const config = {
  // The API and the static files bring their own headers and must not pass through here.
  matcher:
    "/((?!api/|_next/static/|icons/|icon.svg|apple-icon.png|favicon.ico|manifest.webmanifest|sw.js).*)",
};
