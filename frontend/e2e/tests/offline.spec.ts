import type { BrowserContext } from "@playwright/test";
import { addTask, expect, newAccount, register, test } from "./support";

test.use({ serviceWorkers: "allow" });

type Page = Awaited<ReturnType<BrowserContext["newPage"]>>;

/** What is kept of a page, empty if nothing. */
const keptPage = (page: Page, path: string) =>
  page.evaluate(async (of) => (await (await caches.match(of, { ignoreVary: true }))?.text()) ?? "", path);

/** Waits until the pages that one gets to without a network are kept. */
const untilKept = (page: Page) =>
  expect.poll(() => keptPage(page, "/chat"), { timeout: 60_000 }).not.toBe("");

/** Ends the session as its time does: nothing is told to the page. */
const endSession = (context: BrowserContext) => context.clearCookies();

/** Writes a task down without a network, and closes the window. */
async function leaveOffline(context: BrowserContext, page: Page, title: string) {
  await untilKept(page);
  await context.setOffline(true);
  await expect(page.getByText("You are offline.")).toBeVisible();
  await page.getByLabel("New task").fill(title);
  await page.getByLabel("New task").press("Enter");
  await expect(page.getByText(title, { exact: true })).toBeVisible();
  await page.close();
}

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
  await leaveOffline(context, page, "Pay rent");

  const next = await context.newPage();
  await next.goto("/tasks");
  await expect(next.getByText("Read a book", { exact: true })).toBeVisible();
  await expect(next.getByText("Pay rent", { exact: true })).toBeVisible();
  await context.setOffline(false);
  await expect(next.getByRole("button", { name: "Pay rent", exact: true })).toBeEnabled();
  await next.reload();
  await expect(next.getByRole("button", { name: "Pay rent", exact: true })).toHaveCount(1);
});

test("what one has left is neither shown to another in the same browser nor sent for them, and waits", async ({
  context,
}) => {
  const [one, another] = [newAccount(), newAccount()];
  const page = await context.newPage();
  await register(page, one);
  await addTask(page, "Read a book", "Read a book");
  await leaveOffline(context, page, "Pay rent");
  await endSession(context);
  await context.setOffline(false);

  const next = await context.newPage();
  await register(next, another);
  await addTask(next, "Buy milk", "Buy milk");
  await untilKept(next);
  await next.reload();
  await expect(next.getByRole("button", { name: "Buy milk", exact: true })).toBeVisible();
  await context.setOffline(true);
  await next.reload();
  await expect(next.getByText("Buy milk", { exact: true })).toBeVisible();
  await expect(next.getByText(/Pay rent|Read a book/)).toHaveCount(0);
  await context.setOffline(false);
  await endSession(context);

  await next.goto("/login");
  expect(await keptPage(next, "/tasks")).not.toBe("");
  await next.goto("/tasks");
  await expect(next).toHaveURL(/\/login/);
  await next.getByLabel("Email").fill(one.email);
  await next.getByLabel("Password").fill(one.password);
  await next.getByRole("button", { name: "Log in" }).click();
  await expect(next.getByRole("button", { name: "Read a book", exact: true })).toBeVisible();
  await expect(next.getByRole("button", { name: "Pay rent", exact: true })).toBeEnabled();
  await next.reload();
  await expect(next.getByRole("button", { name: "Pay rent", exact: true })).toHaveCount(1);
  await expect(next.getByText("Buy milk")).toHaveCount(0);
});

test("after a deployment the next page is of the new version, however slow the network is", async ({
  context,
}) => {
  const page = await context.newPage();
  await register(page, newAccount());
  await untilKept(page);
  // As an earlier build has left it: another title, and a file that is gone.
  const age = () =>
    page.evaluate(async () => {
      const pages = await caches.open("todo-pages");
      const kept = (await pages.match("/tasks", { ignoreVary: true })) as Response;
      const text = (await kept.text()).replace(
        "<head>",
        '<head><meta name="earlier" content="/_next/static/chunks/gone.css">',
      );
      await pages.put("/tasks", new Response(text, { headers: kept.headers }));
    });
  const earlier = page.locator("meta[name=earlier]");
  await age();
  await page.reload();
  await expect(page.getByLabel("New task")).toBeEnabled();
  await expect(earlier).toHaveCount(0);

  // So slow that the page that is kept shows first.
  await age();
  const held = Promise.withResolvers<void>();
  await context.route(/\/tasks$/, async (route) => {
    await held.promise;
    await route.continue();
  });
  await page.reload();
  await expect(earlier).toHaveCount(1);
  held.resolve();
  await expect(earlier).toHaveCount(0);
  await expect(page.getByLabel("New task")).toBeEnabled();
});

test("the browser finds that the application can be installed", async ({ page }) => {
  await page.goto("/login");
  const browser = await page.context().newCDPSession(page);
  const { installabilityErrors } = await browser.send("Page.getInstallabilityErrors");
  // A window of a test is a private one, in which nothing is installed.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito")).toEqual([]);
});
