import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { addTask, expect, newAccount, register, SCREENSHOTS, say, test } from "./support";

const WIDTHS = { wide: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } };
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Looks at a page in both themes: nothing for axe to find, nothing to scroll sideways; keeps a picture. */
async function look(page: Page, name: string) {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // The new colours are on the screen after the next frame.
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    const size = page.viewportSize() ?? WIDTHS.wide;
    // As high as the page: what is halfway under a bar at the edge of the window is no target of the wrong size.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ ...size, height: Math.max(size.height, height) });
    const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.target}: ${node.failureSummary}`),
    );
    expect.soft(found, `axe on ${name}, ${colorScheme}`).toEqual([]);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect.soft(overflow, `${name} scrolls sideways`).toBe(0);
    await page.setViewportSize(size);
    await page.screenshot({ path: `${SCREENSHOTS}/${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
}

for (const [width, viewport] of Object.entries(WIDTHS)) {
  test.describe(width, () => {
    test.use({ viewport });

    test("pages for everyone", async ({ page }) => {
      await page.goto("/");
      await look(page, `landing-${width}`);
      await page.goto("/login?expired");
      await look(page, `login-${width}`);
      await page.goto("/register");
      await page.getByLabel("Email").fill("ada@example.com");
      await page.getByLabel("Password").fill("short");
      await page.getByRole("button", { name: "Create account" }).click();
      await expect(page.getByText("Use at least 8 characters.")).toBeVisible();
      await look(page, `register-${width}`);
    });

    test("pages behind the login", async ({ page }) => {
      await register(page, newAccount());
      await look(page, `tasks-empty-${width}`);
      await addTask(page, "Send the report !high #work 2026-01-05", "Send the report");
      await addTask(page, "Call the dentist today 23:30 #health", "Call the dentist");
      await addTask(page, "Water the plants tomorrow !low #home", "Water the plants");
      await addTask(page, "Pay rent in 4 days !high #home", "Pay rent");
      await addTask(page, "Read a good book", "Read a good book");
      await page.getByLabel("New task").fill("Buy flowers tomorrow 5pm #home");
      await look(page, `tasks-${width}`);
      await page.getByLabel("New task").fill("");

      await page.getByRole("button", { name: "Call the dentist", exact: true }).click();
      await expect(page.getByLabel("Title")).toBeFocused();
      await look(page, `editor-${width}`);
      await page.keyboard.press("Escape");

      await page.getByRole("checkbox", { name: "Complete “Read a good book”" }).check();
      await expect(page.getByRole("button", { name: "Undo" })).toBeVisible();
      await look(page, `undo-${width}`);

      await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
      await expect(page.getByRole("dialog")).toBeVisible();
      await look(page, `help-${width}`);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Account" }).click();
      await look(page, `account-${width}`);
      await page.keyboard.press("Escape");

      await page.goto("/chat");
      await look(page, `chat-empty-${width}`);
      await say(page, "what is open?");
      await say(page, "delete pay rent");
      await expect(page.getByText("Delete “Pay rent”?", { exact: true })).toBeVisible();
      await look(page, `chat-${width}`);
    });
  });
}

test("the choice of a theme survives a reload, without a flash", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/");
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByRole("button", { name: "Switch between light and dark" }).click();
  expect(await background()).not.toBe(light);
  const response = await page.reload();
  expect(await response?.text()).toContain('data-theme="dark"');
  expect(await background()).not.toBe(light);
});

test.describe("a page that does not exist", () => {
  test("says so, with status 404 and ways on", async ({ context }) => {
    // A page whose console is not checked: the browser itself reports the status as an error there.
    const page = await context.newPage();
    const response = await page.goto("/no/such/page");
    expect(response?.status()).toBe(404);
    await expect(page.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
    await look(page, "not-found");
    await page.getByRole("link", { name: "Start page" }).click();
    await expect(page).toHaveURL(/\/$/);
  });
});

test("every answer carries the security headers, and the policy allows no inline script", async ({
  page,
}) => {
  const headers = async () => (await page.goto("/"))?.headers() ?? {};
  const first = await headers();
  const policy = first["content-security-policy"] ?? "";
  expect(policy).toMatch(/script-src 'self' 'nonce-\w+' 'strict-dynamic'/);
  expect(policy).not.toContain("unsafe");
  expect(first).toMatchObject({ "x-content-type-options": "nosniff", "x-frame-options": "DENY" });
  expect((await headers())["content-security-policy"], "the nonce is new each time").not.toBe(policy);
});
