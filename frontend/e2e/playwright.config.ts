import { defineConfig } from "@playwright/test";

/** Where the application answers, e.g. http://todo.localhost:8080. */
const baseURL = process.env.BASE_URL;
if (!baseURL)
  throw new Error("BASE_URL is not set: say where the application answers, e.g. http://todo.localhost");

/** For names that the system cannot resolve, e.g. "MAP todo.localhost 172.18.0.2". */
const hostRules = process.env.HOST_RESOLVER_RULES;

/** How many times slower the pages' processor is than this machine's. */
export const slowdown = Number(process.env.CPU_SLOWDOWN ?? 1);

export default defineConfig({
  projects: [
    { name: "application", testDir: "tests" },
    { name: "lighthouse", testDir: "lighthouse" },
    { name: "develop", testDir: "develop" },
    { name: "dashboard", testDir: "dashboard" },
  ],
  outputDir: `${process.env.E2E_OUTPUT ?? "output"}/failures`,
  workers: 2,
  retries: 0,
  forbidOnly: true,
  // Most of a test's time goes into axe, in the page. What a page promises has 15 s, however slow it is.
  timeout: 180_000 * slowdown,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    baseURL,
    actionTimeout: 15_000,
    browserName: "chromium",
    ignoreHTTPSErrors: true,
    locale: "en-GB",
    // Tests see and hold what pages ask for. What the worker does has tests of its own.
    serviceWorkers: "block",
    viewport: { width: 1280, height: 800 },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox", // the container has neither the privileges nor the need for it
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        ...(hostRules ? [`--host-resolver-rules=${hostRules}`] : []),
      ],
    },
  },
});
