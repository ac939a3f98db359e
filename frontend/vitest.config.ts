import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["./src/test/setup.ts"],
    env: { TZ: "Europe/Vienna" },
    // A test that fails is a fault; one that takes long is a machine with much to do.
    testTimeout: 60_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
