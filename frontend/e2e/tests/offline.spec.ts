import { addTask, expect, newAccount, register, test } from "./support";

test.use({ serviceWorkers: "allow" });

// In pages whose console is not checked: without a network, the browser itself reports each refused request there.
test("pages open without a network, each with its policy, and none is left after a logout", async ({
  context,
}) => {
  const page = await context.newPage();
  await register(page, newAccount());
  await addTask(page, "Read a book", "Read a book");
  const kept = () =>
    page.evaluate(async () =>
      (await Promise.all(["/tasks", "/chat"].map((path) => caches.match(path, { ignoreVary: true })))).map(
        (response) => response?.headers.get("content-security-policy") ?? "",
      ),
    );
  await expect
    .poll(async () => (await kept()).every((policy) => policy.includes("'strict-dynamic'")), {
      timeout: 60_000,
    })
    .toBe(true);

  await context.setOffline(true);
  await page.reload();
  await expect(page.getByText("You are offline.")).toBeVisible();
  await page.getByRole("link", { name: "Assistant" }).first().click();
  await expect(page.getByRole("heading", { name: "Assistant", level: 1 })).toBeVisible();
  await page.goto("/tasks?status=completed");
  await expect(page.getByRole("heading", { name: "Tasks", level: 1 })).toBeAttached();
  await context.setOffline(false);
  await page.goto("/tasks");
  await expect(page.getByRole("button", { name: "Read a book", exact: true })).toBeVisible();

  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login$/);
  expect(await page.evaluate(() => caches.has("todo-pages"))).toBe(false);
});

test("changes without a network are kept when the page is left, and sent when there is one", async ({
  context,
}) => {
  const page = await context.newPage();
  await register(page, newAccount());
  await addTask(page, "Read a book", "Read a book");
  const kept = () => page.evaluate(() => caches.has("todo-pages"));
  await expect.poll(kept, { timeout: 60_000 }).toBe(true);
  await expect
    .poll(() => page.evaluate(async () => Boolean(await caches.match("/chat", { ignoreVary: true }))), {
      timeout: 60_000,
    })
    .toBe(true);
  await context.setOffline(true);
  await expect(page.getByText("You are offline.")).toBeVisible();
  await page.getByLabel("New task").fill("Pay rent");
  await page.getByLabel("New task").press("Enter");
  await expect(page.getByText("Pay rent", { exact: true })).toBeVisible();
  await page.close();

  const next = await context.newPage();
  await next.goto("/tasks");
  await expect(next.getByText("Read a book", { exact: true })).toBeVisible();
  await expect(next.getByText("Pay rent", { exact: true })).toBeVisible();
  await context.setOffline(false);
  await expect(next.getByRole("button", { name: "Pay rent", exact: true })).toBeEnabled();
  await next.reload();
  await expect(next.getByRole("button", { name: "Pay rent", exact: true })).toHaveCount(1);
});

test("the browser finds that the application can be installed", async ({ page }) => {
  await page.goto("/login");
  const browser = await page.context().newCDPSession(page);
  const { installabilityErrors } = await browser.send("Page.getInstallabilityErrors");
  // A window of a test is a private one, in which nothing is installed.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito")).toEqual([]);
});
