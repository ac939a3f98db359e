import { addTask, expect, hold, newAccount, register, test } from "./support";

test("the first answer stays, and the focus in it, however late the router learns of the address", async ({
  page,
}) => {
  await register(page, newAccount());
  await addTask(page, "Read a book", "Read a book");
  const learn = await page.evaluateHandle(() => {
    const router = history.replaceState.bind(history);
    const late: (() => void)[] = [];
    history.replaceState = (data, unused, url) => {
      History.prototype.replaceState.call(history, history.state, unused, url);
      late.push(() => router(data, unused, url));
    };
    return () => late.splice(0).forEach((change) => void change());
  });
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await expect(page.getByRole("heading", { name: "Assistant", level: 1 })).toBeVisible();
  await page.keyboard.press("/");
  await page.keyboard.type("delete read a book");
  await page.keyboard.press("Enter");
  const keep = page
    .getByRole("region", { name: "Confirm the deletion of “Read a book”" })
    .getByRole("button", { name: "Keep it" });
  await expect(keep).toBeVisible();
  await page.keyboard.press("Shift+Tab");
  await expect(keep).toBeFocused();
  await expect(page.getByRole("button", { name: "Send", exact: true })).toBeVisible();
  await expect(keep).toBeFocused();
  await learn.evaluate((change) => change());
  await page.reload();
  await expect(page.getByText("Delete “Read a book”?", { exact: true })).toBeVisible();
});

test("who leaves while the first answer begins gets to the other page", async ({ page }) => {
  await register(page, newAccount());
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await expect(page.getByRole("heading", { name: "Assistant", level: 1 })).toBeVisible();
  const arrive = await hold(page, /[?&]_rsc=/);
  const left = page.waitForRequest(/\/tasks\?_rsc=/);
  await page.keyboard.press("/");
  await page.keyboard.type("what is open?");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await left;
  // The answer has ended.
  await expect(page.getByRole("button", { name: "Send", exact: true })).toBeVisible();
  await arrive();
  await expect(page.getByRole("heading", { name: "Tasks", level: 1 })).toBeVisible();
});
