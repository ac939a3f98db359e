import { readFile } from "node:fs/promises";
import { look, WIDTHS } from "./look";
import { addTask, expect, newAccount, register, test } from "./support";

for (const [width, viewport] of Object.entries(WIDTHS)) {
  test(`the account is its owner's, ${width}`, async ({ page, browser, baseURL }) => {
    await page.setViewportSize(viewport);
    const account = newAccount();
    await register(page, account);
    await addTask(page, "Pay rent", "Pay rent");
    const elsewhere = await browser.newContext({ baseURL });
    const other = await elsewhere.newPage();
    const logIn = async (password: string) => {
      await other.goto("/login");
      await other.getByLabel("Email").fill(account.email);
      await other.getByLabel("Password").fill(password);
      await other.getByRole("button", { name: "Log in" }).click();
    };
    await logIn(account.password);
    await expect(other.getByRole("button", { name: "Pay rent", exact: true })).toBeVisible();

    await page.getByRole("button", { name: "Account" }).click();
    await page.getByRole("link", { name: "Settings" }).click();
    await expect(page.getByRole("heading", { name: "Settings", level: 1 })).toBeVisible();
    const sessions = page.getByRole("region", { name: "Where you are logged in" });

    await test.step("a token is made, works, is revoked, and works no more", async () => {
      await page.getByLabel("What the token is for").fill("Backup of my tasks");
      await page.getByRole("button", { name: "Make a token" }).click();
      const token = await page.getByLabel(/^The token “Backup of my tasks”/).inputValue();
      await expect(sessions.getByRole("listitem")).toHaveCount(2);
      await look(page, `settings-${width}`);
      const ask = async () => {
        const program = await browser.newContext({
          baseURL,
          extraHTTPHeaders: { authorization: `Bearer ${token}` },
        });
        const tab = await program.newPage(); // the browser alone knows where the host is
        const status = (await tab.goto("/api/tasks"))?.status();
        await program.close();
        return status;
      };
      expect(await ask()).toBe(200);
      await page.getByRole("button", { name: "Revoke “Backup of my tasks”" }).click();
      await expect(page.getByRole("dialog", { name: "Revoke this token?" })).toBeVisible();
      await look(page, `token-revoke-${width}`);
      await page.getByRole("button", { name: "Revoke", exact: true }).click();
      await expect(page.getByRole("button", { name: "Revoke “Backup of my tasks”" })).toBeHidden();
      expect(await ask()).toBe(401);
    });

    await test.step("a session is ended from here", async () => {
      await sessions.getByRole("button", { name: /^Log out .+, since / }).click();
      await expect(sessions.getByRole("listitem")).toHaveCount(1);
      await other.goto("/tasks");
      await expect(other).toHaveURL(/\/login\?expired/);
    });

    await test.step("another password ends the others, and is the one that counts", async () => {
      await logIn(account.password);
      await expect(other.getByRole("button", { name: "Pay rent", exact: true })).toBeVisible();
      await page.getByLabel("Current password").fill(account.password);
      const changed = newAccount().password;
      await page.getByLabel("New password").fill(changed);
      await page.getByRole("button", { name: "Change password" }).click();
      await expect(page.getByText("Changed. You are logged out everywhere else.")).toBeVisible();
      await other.goto("/tasks");
      await expect(other).toHaveURL(/\/login\?expired/);
      await logIn(changed);
      await expect(other.getByRole("button", { name: "Pay rent", exact: true })).toBeVisible();
      await elsewhere.close();
    });

    await test.step("what is there is taken along, and into another account", async () => {
      const download = page.waitForEvent("download");
      await page.getByRole("button", { name: "Everything, as JSON" }).click();
      const file = await (await download).path();
      expect(JSON.parse(await readFile(file, "utf8")).tasks).toHaveLength(1);
      const fresh = await browser.newContext({ baseURL });
      const theirs = await fresh.newPage();
      await register(theirs, newAccount());
      await theirs.goto("/settings");
      await theirs.getByLabel("File to take in").setInputFiles({
        name: "todo.json",
        mimeType: "application/json",
        buffer: await readFile(file),
      });
      await expect(theirs.getByText("1 task and 0 conversations added.")).toBeVisible();
      await theirs.getByLabel("File to take in").setInputFiles({
        name: "tasks.csv",
        mimeType: "text/csv",
        buffer: Buffer.from("title;tags\r\nBuy milk;home\r\nWash up;\r\n"),
      });
      await expect(theirs.getByText("2 tasks and 0 conversations added.")).toBeVisible();
      await theirs.goto("/tasks");
      for (const name of ["Pay rent", "Buy milk", "Wash up"])
        await expect(theirs.getByRole("button", { name, exact: true })).toBeVisible();
      await fresh.close();
    });
  });
}
