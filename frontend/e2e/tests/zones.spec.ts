import { addTask, expect, newAccount, register, test } from "./support";

test("a day is the same day in every time zone", async ({ browser }) => {
  const tokyo = await browser.newContext({ timezoneId: "Asia/Tokyo" });
  const there = await tokyo.newPage();
  await register(there, newAccount());
  await addTask(there, "Pay rent on 24 dec", "Pay rent");
  await expect(there.getByRole("listitem")).toContainText("24 Dec");

  const storageState = await tokyo.storageState();
  const angeles = await browser.newContext({ timezoneId: "America/Los_Angeles", storageState });
  const here = await angeles.newPage();
  await here.goto("/tasks");
  await expect(here.getByRole("listitem")).toContainText("24 Dec");
  await expect(here.getByRole("listitem")).not.toContainText(/\d:\d\d/);
  await here.getByRole("button", { name: "Pay rent", exact: true }).click();
  await expect(here.getByLabel("Due date")).toHaveValue(/-12-24$/);
  await expect(here.getByLabel("Due time, if it matters")).toHaveValue("");
  await tokyo.close();
  await angeles.close();
});
