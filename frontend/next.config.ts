import type { NextConfig } from "next";

const nextConfig: NextConfig = {
  output: "standalone",
  poweredByHeader: false,
  agentRules: false,
  images: { unoptimized: true },
  // Nothing is prerendered or cached on the server, so a read-only root file system is enough.
  cacheMaxMemorySize: 0,
  // Images are served as they are: the image optimiser's native library stays out of the server.
  outputFileTracingExcludes: { "/**": ["node_modules/sharp/**", "node_modules/@img/**"] },
};

export default nextConfig;
