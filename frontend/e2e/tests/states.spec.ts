import { look, WIDTHS } from "./look";
import { addTask, expect, hold, newAccount, register, say, test } from "./support";

const TASKS = "**/api/tasks?*";
const away = {
  status: 503,
  contentType: "application/problem+json",
  headers: { "retry-after": "1" },
  body: JSON.stringify({ type: "about:blank", title: "Away", status: 503, code: "database_unavailable" }),
};

for (const [width, viewport] of Object.entries(WIDTHS)) {
  test.describe(width, () => {
    test.use({ viewport });

    test("what shows while the server takes its time", async ({ page }) => {
      await register(page, newAccount());
      const tasks = await hold(page, TASKS);
      await page.reload();
      await expect(page.getByRole("region", { name: "Task list" })).toHaveAttribute("aria-busy", "true");
      await look(page, `tasks-loading-${width}`);
      await tasks();
      await expect(page.getByText("All clear")).toBeVisible();

      await page.goto("/chat");
      const answer = await hold(page, "**/api/chat");
      await page.getByRole("button", { name: "What is open?" }).click();
      await expect(page.getByText("The assistant is answering…")).toBeAttached();
      await look(page, `chat-waiting-${width}`);
      await page.getByRole("button", { name: "Stop the answer" }).click();
      await expect(page.getByRole("alert").filter({ hasText: "Stopped." })).toBeVisible();
      await answer();
      await page.getByRole("button", { name: "Send again" }).click();
      await expect(page.getByText("You are talking to the built-in offline assistant.")).toBeVisible();
      await expect(page.getByRole("button", { name: "Send", exact: true })).toBeVisible();
    });

    test("what shows in dialogs, and when nothing matches", async ({ page }) => {
      const account = newAccount();
      await register(page, account);
      await addTask(page, "Water the plants tomorrow 5pm #home", "Water the plants");
      await page.getByRole("searchbox", { name: "Search tasks" }).fill("nothing like it");
      await expect(page.getByText("No task matches")).toBeVisible();
      await look(page, `tasks-no-match-${width}`);

      await page.goto("/chat");
      await say(page, "what is open?");
      await page.getByRole("link", { name: /^Water the plants/ }).click();
      await expect(page.getByRole("dialog").getByLabel("Title")).toBeVisible();
      await look(page, `task-dialog-${width}`);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toBeHidden();
      await expect(page.getByRole("main")).toBeFocused();

      await page.goto("/chat");
      // On a wide screen the conversations are beside the current one.
      if (width === "phone") await page.getByRole("button", { name: "History" }).click();
      await expect(page.getByRole("button", { name: "what is open?", exact: true })).toBeVisible();
      await look(page, `chat-history-${width}`);
      await page.getByRole("button", { name: "Delete the conversation “what is open?”" }).click();
      await expect(page.getByRole("dialog", { name: "Delete this conversation?" })).toBeVisible();
      await look(page, `chat-delete-${width}`);

      await page.goto("/settings");
      await page.getByRole("button", { name: "Delete account…" }).click();
      await expect(page.getByLabel("Your password")).toBeVisible();
      await look(page, `delete-account-${width}`);
    });

    // On pages whose console is not checked: the browser itself reports each failed request as an error there.
    test("what shows when things fail, and that they work again", async ({ page: first, context }) => {
      await register(first, newAccount());
      await addTask(first, "Water the plants", "Water the plants");
      const page = await context.newPage();

      await page.route(TASKS, (route) => route.fulfill(away));
      await page.goto("/tasks");
      await expect(page.getByText("Your tasks could not be loaded")).toBeVisible();
      await look(page, `tasks-error-${width}`);
      await page.unroute(TASKS);
      await page.getByRole("button", { name: "Try again" }).click();
      const task = page.getByRole("checkbox", { name: "Complete “Water the plants”" });
      await expect(task).toBeVisible();

      await page.route("**/api/tasks/*", (route) => route.fulfill(away));
      await task.click();
      // Said twice for a moment: to the eyes here, to screen readers elsewhere.
      const messages = page.getByRole("region", { name: /Notifications/ });
      await expect(messages.getByText("“Water the plants” was not changed.")).toBeVisible();
      await expect(messages.getByText("Completed “Water the plants”")).toBeHidden();
      await expect(task).not.toBeChecked();
      await look(page, `tasks-rollback-${width}`);
      await page.unroute("**/api/tasks/*");
      await messages.getByRole("button", { name: "Try again" }).click();
      await expect(page.getByText("All clear")).toBeVisible();

      await page.route(TASKS, (route) => route.fulfill({ json: {} }));
      await page.goto("/tasks");
      await expect(page.getByRole("heading", { name: "Something went wrong" })).toBeVisible();
      await look(page, `error-${width}`);
      await page.unroute(TASKS);
      await page.getByRole("button", { name: "Try again" }).click();
      await expect(page.getByRole("heading", { name: "Tasks", level: 1 })).toBeVisible();
    });

    test("without a network, changes wait and say so", async ({ page: first, context }) => {
      await register(first, newAccount());
      const page = await context.newPage();
      await page.goto("/tasks");
      await expect(page.getByText("All clear")).toBeVisible();
      await context.setOffline(true);
      await expect(page.getByText("You are offline.")).toBeVisible();
      await page.getByLabel("New task").fill("Water the plants");
      await page.getByLabel("New task").press("Enter");
      const task = page.getByRole("button", { name: "Water the plants", exact: true });
      await expect(task).toBeDisabled();
      await look(page, `offline-${width}`);
      await context.setOffline(false);
      await expect(page.getByText("You are offline.")).toBeHidden();
      await expect(task).toBeEnabled();
      await page.reload();
      await expect(task).toBeEnabled();
    });

    test("a page that does not exist says so, with status 404 and ways on", async ({ context }) => {
      const page = await context.newPage();
      const response = await page.goto("/no/such/page");
      expect(response?.status()).toBe(404);
      await expect(page.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
      await look(page, `not-found-${width}`);
      await page.getByRole("link", { name: "Start page" }).click();
      await expect(page).toHaveURL(/\/$/);
    });
  });
}
