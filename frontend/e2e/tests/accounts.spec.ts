import { addTask, expect, newAccount, register, test } from "./support";

// In pages whose console is not checked: the browser itself reports each refused request as an error there.
test("a window of one account writes nothing into another's that logged in elsewhere", async ({
  context,
}) => {
  const [ada, bob] = [newAccount(), newAccount()];
  const page = await context.newPage();
  await register(page, ada);
  await addTask(page, "Ada's", "Ada's");

  const other = await context.newPage();
  await other.goto("/tasks");
  await other.getByRole("button", { name: "Account" }).click();
  await other.getByRole("button", { name: "Log out" }).click();
  await expect(other).toHaveURL(/\/login$/);
  await register(other, bob);
  await expect(other.getByText("All clear")).toBeVisible();

  await page.getByLabel("New task").fill("For Ada only");
  await page.getByLabel("New task").press("Enter");
  await expect(page.getByRole("dialog", { name: "Somebody else is logged in by now" })).toBeVisible();
  await other.reload();
  await expect(other.getByText("All clear")).toBeVisible();
  await page.getByRole("button", { name: "Go on with that account" }).click();
  await expect(page.getByText("All clear")).toBeVisible();
  await page.getByRole("button", { name: "Account" }).click();
  await expect(page.getByText(bob.email)).toBeVisible();
});
