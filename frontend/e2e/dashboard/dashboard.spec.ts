import type { Page } from "@playwright/test";
import { look, WIDTHS } from "../tests/look";
import { expect, test } from "../tests/support";

/** The address that opens the dashboard of the deployed application. */
const url = process.env.DASHBOARD_URL ?? "";
/** How long a rollout may take. */
const ROLLOUT = 120_000;

async function open(page: Page) {
  await page.goto(url);
  expect(page.url(), "the token does not stay in the address").not.toContain("token");
  await expect(page.locator("#state")).toHaveText("Everything runs", { timeout: 60_000 });
  await expect(page.locator("#count")).toHaveText(/^\d+ lines$/);
}

const card = (page: Page, service: string) => page.getByRole("article", { name: service });

test("shows every service, its logs and its versions, in both themes", async ({ page }) => {
  await open(page);
  for (const service of ["backend", "frontend", "postgres"]) {
    await expect(card(page, service)).toContainText(/\d of \d ready/);
    await expect(card(page, service)).toContainText("Version");
  }
  await expect(page.getByRole("list").filter({ hasText: "in force" })).toContainText("passed its checks");
  await look(page, "dashboard");
  await page.setViewportSize(WIDTHS.phone);
  await look(page, "dashboard-phone");
});

test("finds lines by words, levels and services", async ({ page }) => {
  await open(page);
  const lines = page.locator("#lines > li:visible");
  await page.keyboard.press("/");
  await expect(page.getByLabel("Search the logs")).toBeFocused();
  await page.keyboard.type("no line has these words");
  await expect(lines).toHaveCount(0);
  await page.getByLabel("Search the logs").fill("");
  await page.getByRole("checkbox", { name: "backend" }).uncheck();
  await expect(lines.filter({ has: page.locator("[data-service=backend]") })).toHaveCount(0);
  await expect(page.locator("#count")).toHaveText(/^\d+ of \d+ lines$/);
  await expect(
    page.getByRole("status").getByText(/^\d+ of \d+ lines$/),
    "who cannot see it hears it",
  ).toBeAttached();
  await page.getByRole("checkbox", { name: "backend" }).check();
  await expect(page.locator("#count")).toHaveText(/^\d+ lines$/);
});

test("replaces pods and sets their number, and shows how", async ({ page }) => {
  await open(page);
  const frontend = card(page, "frontend");
  await frontend.getByText("Pods").click();
  const before = await frontend.locator("code").allTextContents();
  await frontend.getByRole("button", { name: "Restart frontend" }).click();
  await expect(page.getByText("frontend runs on new pods.")).toBeVisible({ timeout: ROLLOUT });
  await expect(page.locator("#lines")).toContainText("Restart");
  await expect
    .poll(() => frontend.locator("code").allTextContents(), { timeout: ROLLOUT })
    .not.toEqual(before);

  const scale = async (pods: number) => {
    await frontend.getByRole("button", { name: "Scale frontend" }).click();
    await page.getByRole("spinbutton").fill(String(pods));
    await look(page, "dashboard-scale");
    await page.getByRole("dialog").getByRole("button", { name: "Scale" }).click();
    await expect(page.getByText(`frontend runs on ${pods} pods.`)).toBeVisible({ timeout: ROLLOUT });
  };
  await frontend.getByRole("button", { name: "Scale frontend" }).click();
  const dialog = page.getByRole("dialog");
  for (const wrong of ["", "21", "1.5"]) {
    await page.getByRole("spinbutton").fill(wrong);
    await dialog.getByRole("button", { name: "Scale" }).click();
    await expect(dialog, `"${wrong}" is no number of pods`).toContainText("Pods, until the next deploy");
  }
  await page.getByRole("spinbutton").fill("0");
  await page.keyboard.press("Enter");
  await expect(dialog).toContainText("Take frontend out of service?");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(frontend).not.toContainText("Out of service");

  const pods = Number(/of (\d+) ready/.exec((await frontend.textContent()) ?? "")?.[1]);
  await scale(pods + 1);
  await expect(frontend).toContainText(`${pods + 1} of ${pods + 1} ready`);
  await scale(pods);
  await expect(frontend).toContainText(`${pods} of ${pods} ready`);
});

test("compares a version with the present, and leaves it at that", async ({ page }) => {
  await open(page);
  const revisions = page.locator("#revisions > li");
  const before = await revisions.count();
  test.skip(before < 2, "there is one version only");
  await page
    .getByRole("button", { name: /^Compare revision/ })
    .first()
    .click();
  await expect(page.getByRole("dialog")).toContainText("Back to revision");
  await look(page, "dashboard-diff");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(revisions).toHaveCount(before);
});

test("answers questions, and only names the command of a change", async ({ page }) => {
  await open(page);
  await page.getByLabel("Question about the application").fill("how are the pods?");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Answer")).toContainText("backend", { timeout: 60_000 });
  await page.getByLabel("Question about the application").fill("scale the backend to 5");
  await page.keyboard.press("Enter");
  const message = page.locator("#messages > p");
  await expect(message).toContainText("go tool mage scale backend 5", { timeout: 60_000 });
  await message.getByRole("button", { name: "Dismiss" }).click();
  await expect(message).toHaveCount(0);
});

test("is shut to a browser that was not told the address", async ({ browser }) => {
  const page = await (await browser.newContext()).newPage();
  const answer = await page.goto(new URL("/", url).href);
  expect(answer?.status()).toBe(401);
});
