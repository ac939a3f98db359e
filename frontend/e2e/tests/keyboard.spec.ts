import { addTask, expect, newAccount, register, test } from "./support";

test("a day without a mouse", async ({ page }) => {
  await register(page, newAccount());
  const task = (title: string) => page.getByRole("button", { name: title, exact: true });
  const press = (...keys: string[]) =>
    keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());

  await test.step("Tab begins at a link past the navigation", async () => {
    await page.goto("/tasks");
    await page.keyboard.press("Tab");
    await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("main")).toBeFocused();
    await page.keyboard.press("Tab");
    await expect(page.getByLabel("New task")).toBeFocused();
    await page.keyboard.press("Escape");
  });

  await test.step("n: a new task, with a date in plain words", async () => {
    await page.keyboard.press("n");
    await expect(page.getByLabel("New task")).toBeFocused();
    await page.keyboard.type("Water the plants tomorrow 5pm #home");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: /^Tomorrow/ })).toBeVisible();
    await expect(page.getByRole("listitem").filter({ has: task("Water the plants") })).toContainText(
      /Tomorrow (17:00|5:00\spm)/i,
    );
    await page.keyboard.type("Read a book");
    await page.keyboard.press("Enter");
    await expect(task("Read a book")).toBeEnabled();
    await page.keyboard.press("Escape");
  });

  await test.step("j, k and e: move, edit, Escape cancels, Ctrl+Enter saves", async () => {
    await page.keyboard.press("j");
    await expect(task("Water the plants")).toBeFocused();
    await press("j", "e");
    await expect(page.getByLabel("Title")).toBeFocused();
    await page.keyboard.type(" and more");
    await page.keyboard.press("Escape");
    await expect(task("Read a book")).toBeFocused();
    await press("e", "End");
    await page.keyboard.type(" of poems");
    await page.keyboard.press("Control+Enter");
    await expect(task("Read a book of poems")).toBeFocused();
  });

  await test.step("x and Delete, each undone with z; the focus is never lost", async () => {
    await press("k", "x");
    await expect(task("Water the plants")).toBeHidden();
    await expect(task("Read a book of poems")).toBeFocused();
    await page.keyboard.press("z");
    await expect(task("Water the plants")).toBeVisible();
    await expect(page.getByRole("button", { name: "Undo" })).toBeHidden();

    await page.keyboard.press("Delete");
    await expect(task("Read a book of poems")).toBeHidden();
    await expect(task("Water the plants")).toBeFocused();
    await page.keyboard.press("Control+z");
    await expect(task("Read a book of poems")).toBeFocused();
  });

  await test.step("an emptied list takes the focus, and the last task comes back", async () => {
    await press("k", "x");
    await expect(task("Water the plants")).toBeHidden();
    await expect(task("Read a book of poems")).toBeFocused();
    await page.keyboard.press("x");
    await expect(page.getByText("All clear")).toBeVisible();
    await expect(page.getByRole("region", { name: "Task list" })).toBeFocused();
    await page.keyboard.press("z");
    await expect(task("Read a book of poems")).toBeVisible();
  });

  await test.step("/ searches, Escape clears the search and then leaves it", async () => {
    await page.keyboard.press("/");
    await expect(page.getByRole("searchbox", { name: "Search tasks" })).toBeFocused();
    await page.keyboard.type("nothing like it");
    await expect(page.getByText("No task matches")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(task("Read a book of poems")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("searchbox", { name: "Search tasks" })).not.toBeFocused();
  });

  await test.step("? explains the keys, gives the focus back, and lets them be switched off", async () => {
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await expect(help).toBeVisible();
    await help.getByLabel("Use single-key shortcuts").focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("Escape");
    await expect(help).toBeHidden();
    await page.keyboard.press("n");
    await expect(page.getByLabel("New task")).not.toBeFocused();
    await page.getByRole("button", { name: "Keyboard shortcuts" }).focus();
    await page.keyboard.press("Enter");
    await help.getByLabel("Use single-key shortcuts").focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("button", { name: "Keyboard shortcuts" })).toBeFocused();
  });

  await test.step("g goes to the assistant, / writes to it, a deletion is confirmed with Tab and Enter", async () => {
    await page.keyboard.press("g");
    await expect(page.getByRole("heading", { name: "Assistant", level: 1 })).toBeVisible();
    await page.keyboard.press("/");
    await page.keyboard.type("delete read a book of poems");
    await page.keyboard.press("Enter");
    const card = page.getByRole("region", { name: "Confirm the deletion of “Read a book of poems”" });
    await expect(card).toBeVisible();
    await expect(page.getByLabel("Message to the assistant")).toBeFocused();
    await page.keyboard.press("Shift+Tab");
    await expect(card.getByRole("button", { name: "Keep it" })).toBeFocused();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await expect(page.locator("p", { hasText: /^Deleted “Read a book of poems”$/ })).toBeFocused();
    await press("n");
    await expect(page.getByRole("heading", { name: "What shall we get done?" })).toBeVisible();
    await expect(page.getByLabel("Message to the assistant")).toBeFocused();
    await press("Escape", "g");
    await expect(page.getByText("All clear")).toBeVisible();
  });
});

test("shortcuts leave what is typed alone", async ({ page }) => {
  await register(page, newAccount());
  await addTask(page, "nxe/jkz?g", "nxe/jkz?g");
  await expect(page.getByRole("button", { name: "nxe/jkz?g", exact: true })).toBeVisible();
});
