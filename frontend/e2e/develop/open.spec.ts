import { test } from "@playwright/test";

/** Keeps the login open and prints what its heading becomes while the pages are worked on, until the test is ended. */
test("a page that stays open", async ({ page }) => {
  test.setTimeout(0);
  let loads = 0;
  page.on("load", () => (loads += 1));
  await page.exposeFunction("told", (heading: string, email: string) =>
    process.stdout.write(`${JSON.stringify({ heading, email, loads })}\n`),
  );
  // Of what is saved while a page loads the development server never tells it.
  const listens = new Promise<void>((resolve) => {
    page.on("websocket", (socket) =>
      socket.on("framesent", ({ payload }) => {
        if (String(payload).includes("turbopack-subscribe")) resolve();
      }),
    );
  });
  await page.goto("/login", { timeout: 120_000 });
  await listens;
  await page.waitForLoadState("networkidle");
  await page.getByLabel("Email").fill("kept@example.com");
  await page.evaluate(() => {
    const tell = () => {
      const heading = document.querySelector("h1")?.textContent ?? "";
      const field = document.querySelector<HTMLInputElement>("input[name=email]");
      (window as unknown as { told: (heading: string, email: string) => void }).told(
        heading,
        field?.value ?? "",
      );
    };
    const everything = { childList: true, characterData: true, subtree: true };
    new MutationObserver(tell).observe(document.documentElement, everything);
    tell();
  });
  await new Promise(() => {});
});
