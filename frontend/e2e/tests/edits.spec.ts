import { addTask, expect, newAccount, register, test } from "./support";

test("two windows of one account: an edit takes back nothing that was saved in the other", async ({
  context,
}) => {
  const page = await context.newPage();
  await register(page, newAccount());
  await addTask(page, "v1", "v1");
  const other = await context.newPage();
  await other.goto("/tasks");
  const task = (title: string) => other.getByRole("button", { name: title, exact: true });

  await task("v1").click();
  await page.getByRole("button", { name: "v1", exact: true }).click();
  await page.getByLabel("Title").fill("v2");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("button", { name: "v2", exact: true })).toBeFocused();

  await other.getByLabel("Description").fill("From the other window");
  await other.getByRole("button", { name: "Save" }).click();
  await expect(task("v2")).toBeVisible();
  await page.reload();
  await expect(page.getByText("From the other window")).toBeVisible();

  await task("v2").click();
  await page.getByRole("button", { name: "v2", exact: true }).click();
  await page.getByLabel("Title").fill("v3");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("button", { name: "v3", exact: true })).toBeFocused();
  await other.getByLabel("Title").fill("mine");
  await other.getByRole("button", { name: "Save" }).click();
  await expect(other.getByRole("alert").filter({ hasText: "it is “v3” now" })).toBeVisible();
  await other.getByRole("button", { name: "Take theirs" }).click();
  await expect(other.getByLabel("Title")).toHaveValue("v3");
});

test("what was typed survives an expired session and a reload", async ({ context }) => {
  const page = await context.newPage();
  const account = newAccount();
  await register(page, account);
  await addTask(page, "Read a book", "Read a book");
  await page.getByLabel("New task").fill("Half a thou");
  await page.getByRole("button", { name: "Read a book", exact: true }).click();
  await page.getByLabel("Title").fill("Read a good book");
  await page.reload();
  await expect(page.getByLabel("Title")).toHaveValue("Read a good book");
  await expect(page.getByLabel("New task")).toHaveValue("Half a thou");

  await context.clearCookies();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/login\?expired/);
  await page.getByLabel("Email").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByLabel("Title")).toHaveValue("Read a good book");
  await expect(page.getByLabel("New task")).toHaveValue("Half a thou");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("button", { name: "Read a good book", exact: true })).toBeFocused();
});

test("a click on Save saves, whatever the form does with a tag that was being typed", async ({ page }) => {
  await register(page, newAccount());
  await addTask(page, "Read a book", "Read a book");
  await page.getByRole("button", { name: "Read a book", exact: true }).click();
  await page
    .getByLabel("Tags")
    .pressSequentially("a-rather-long-tag,another-rather-long-tag,one-more-of-them,and-the-last");
  const save = await page.getByRole("button", { name: "Save" }).boundingBox();
  if (!save) throw new Error("the form has no button to save");
  await page.mouse.click(save.x + save.width / 2, save.y + save.height / 2);
  await expect(page.getByRole("button", { name: "Show only tasks tagged and-the-last" })).toBeVisible();
});
