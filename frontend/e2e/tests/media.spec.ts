import { look } from "./look";
import { addTask, expect, newAccount, register, say, test } from "./support";

/** How far the page can be scrolled sideways. */
const sideways = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;

test("on paper there are the tasks, and nothing to press", async ({ page }) => {
  await register(page, newAccount());
  await addTask(page, "Pay rent tomorrow !high #home", "Pay rent");
  await page.keyboard.press("Escape");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await expect(page.getByText("Pay rent", { exact: true })).toBeVisible();
  await expect(page.getByRole("heading", { name: /^Tomorrow/ })).toBeVisible();
  for (const hidden of ["banner", "navigation", "search", "searchbox"] as const)
    await expect(page.getByRole(hidden)).toBeHidden();
  await expect(page.getByLabel("New task")).toBeHidden();
  const ink = await page
    .getByText("Pay rent", { exact: true })
    .evaluate((text) => getComputedStyle(text).color.match(/\d+/g)?.map(Number));
  expect(Math.max(...(ink ?? [255])), "dark on paper").toBeLessThan(80);
});

test("what is chosen shows in forced colours, too", async ({ page }) => {
  await register(page, newAccount());
  await addTask(page, "Pay rent", "Pay rent");
  await page.emulateMedia({ forcedColors: "active" });
  await page.getByRole("button", { name: "Pay rent", exact: true }).click();

  for (const chosen of [
    page.getByRole("button", { name: "Open", exact: true }),
    page.getByRole("link", { name: "Tasks", exact: true }).first(),
    page.locator("label", { hasText: "Medium" }),
  ])
    await expect(chosen).toHaveCSS("text-decoration-line", "underline");
  await expect(page.getByRole("button", { name: "All", exact: true })).toHaveCSS(
    "text-decoration-line",
    "none",
  );
  await expect(page.locator("label", { hasText: "High" })).toHaveCSS("text-decoration-line", "none");
});

test("at 200 % the first task is in the window, and dialogs fit into it", async ({ browser, baseURL }) => {
  const zoomed = await browser.newContext({
    baseURL,
    viewport: { width: 640, height: 400 },
    deviceScaleFactor: 2,
  });
  const page = await zoomed.newPage();
  await register(page, newAccount());
  await addTask(page, "Pay rent tomorrow", "Pay rent");
  await expect(page.getByRole("button", { name: "Pay rent", exact: true })).toBeInViewport({ ratio: 1 });
  await look(page, "zoomed");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await expect(page.getByRole("dialog").getByRole("button", { name: "Close" })).toBeInViewport({ ratio: 1 });
  await look(page, "zoomed-help");
  await zoomed.close();
});

test("nothing long makes a narrow page scroll sideways", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await register(page, newAccount());
  const [title, tag] = ["w".repeat(49), "t".repeat(50)];
  await addTask(page, `${title} #${tag}`, title);
  expect(await page.evaluate(sideways), "the list").toBe(0);
  await page.goto("/chat");
  await say(page, "what is open?");
  await expect(page.getByRole("link", { name: title })).toBeVisible();
  await say(page, `delete ${title}`);
  expect(await page.evaluate(sideways), "the conversation").toBe(0);
});
