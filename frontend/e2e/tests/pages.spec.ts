import { look, WIDTHS } from "./look";
import { addTask, complete, expect, newAccount, register, say, test } from "./support";

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
      await page.goto("/reset");
      await page.getByLabel("Code").fill("7KQ2");
      await page.getByLabel("Email").fill("ada@example.com");
      await page.getByLabel("New password").fill("short");
      await page.getByRole("button", { name: "Set password and log in" }).click();
      await expect(page.getByText("Use at least 8 characters.")).toBeVisible();
      await look(page, `reset-${width}`);
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

      await complete(page, "Read a good book");
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
      // Nothing has been said yet.
      await expect(
        page.getByRole("status").getByText("You are talking to the built-in offline assistant."),
      ).toBeVisible();
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
  await page.getByRole("button", { name: "Switch between light and dark" }).click();
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await background(), "switched back, it follows the system again").not.toBe(light);
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
  const [file] = await Promise.all([page.waitForResponse(/\/_next\/static\/.+\.js$/), page.goto("/")]);
  expect(file.headers()).toMatchObject({
    "x-content-type-options": "nosniff",
    "cache-control": "public, max-age=31536000, immutable",
  });
});

for (const [width, viewport, limit] of [
  ["wide", { width: 1280, height: 800 }, 220],
  ["phone", { width: 360, height: 740 }, 260],
] as const) {
  test(`the first task stands at the top of the page, ${width}`, async ({ page }) => {
    await page.setViewportSize(viewport);
    await register(page, newAccount());
    await addTask(page, "Pay rent tomorrow !high", "Pay rent");
    const row = await page.getByRole("listitem").filter({ hasText: "Pay rent" }).boundingBox();
    expect(row?.y).toBeLessThanOrEqual(limit);
    expect(row?.height).toBeLessThanOrEqual(46);
  });
}
