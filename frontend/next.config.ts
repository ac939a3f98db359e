import type { NextConfig } from "next";

/** For every page and file; what depends on the request is in src/proxy.ts, and the API brings its own. */
const SECURITY_HEADERS = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Referrer-Policy", value: "strict-origin-when-cross-origin" },
  { key: "Cross-Origin-Resource-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), geolocation=(), microphone=(), payment=()" },
];

const nextConfig: NextConfig = {
  output: "standalone",
  poweredByHeader: false,
  agentRules: false,
  // While the pages are worked on, behind the ingress: its host may have what only the development server has.
  allowedDevOrigins: process.env.DEVELOP_HOST ? [process.env.DEVELOP_HOST] : [],
  // Types are checked by `npm run typecheck`, in the image's test stage. In each build, too, that took a third of it.
  typescript: { ignoreBuildErrors: true },
  // Images are served as they are. The optimiser's native library, half of the server's size, is taken out by the build
  // script: Next's own server is traced with it, whatever outputFileTracingExcludes says.
  images: { unoptimized: true },
  headers: async () => [{ source: "/((?!api/).*)", headers: SECURITY_HEADERS }],
  // Nothing is prerendered or cached on the server, so a read-only root file system is enough.
  cacheMaxMemorySize: 0,
};

export default nextConfig;
