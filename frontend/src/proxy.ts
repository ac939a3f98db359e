import { type NextRequest, NextResponse } from "next/server";
import { publicApiUrl } from "@/lib/config";
import { SESSION_COOKIE } from "@/lib/session-cookie";

const PRIVATE_PAGES = /^\/(tasks|chat)(\/|$)/;

function contentSecurityPolicy(nonce: string, apiUrl: string): string {
  const development = process.env.NODE_ENV === "development";
  const directives = {
    "default-src": "'self'",
    "script-src": `'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ""}`,
    "style-src": development ? "'self' 'unsafe-inline'" : `'self' 'nonce-${nonce}'`,
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": `'self'${apiUrl ? ` ${new URL(apiUrl).origin}` : ""}`,
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
 * Gives every page its security headers with a fresh nonce, and sends visitors without a session from
 * the private pages to the login page. The cookie is only a hint here: the API alone decides.
 */
export function proxy(request: NextRequest) {
  const apiUrl = publicApiUrl();
  const { pathname, search } = request.nextUrl;
  if (!apiUrl && PRIVATE_PAGES.test(pathname) && !request.cookies.has(SESSION_COOKIE)) {
    const login = new URL("/login", request.url);
    login.searchParams.set("next", pathname + search);
    return NextResponse.redirect(login);
  }

  const nonce = crypto.randomUUID().replaceAll("-", "");
  const policy = contentSecurityPolicy(nonce, apiUrl);
  const headers = new Headers(request.headers);
  // Next takes the nonce for its own scripts from here.
  headers.set("content-security-policy", policy);

  const response = NextResponse.next({ request: { headers } });
  response.headers.set("Content-Security-Policy", policy);
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("X-Frame-Options", "DENY");
  response.headers.set("Referrer-Policy", "strict-origin-when-cross-origin");
  // Elsewhere browsers ignore it, and complain about it.
  if (isTrustworthy(request)) response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()");
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
  matcher: "/((?!api/|_next/static/|icon.svg|favicon.ico).*)",
};
