import { randomUUID } from "node:crypto";
import { test as base, expect, type Page } from "@playwright/test";
import { slowdown } from "../playwright.config";

/** Where the screenshots for the documentation go. */
export const SCREENSHOTS = `${process.env.E2E_OUTPUT ?? "output"}/screenshots`;

export type Account = { email: string; password: string };

export const newAccount = (): Account => ({
  email: `e2e-${randomUUID()}@example.com`,
  password: randomUUID(),
});

async function slowDown(page: Page) {
  if (slowdown === 1) return;
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
}

/** A test that also fails when the browser's console shows an error, a policy violation among them. */
export const test = base.extend<{ quietConsole: undefined }>({
  context: async ({ context }, use) => {
    const newPage = context.newPage.bind(context);
    context.newPage = async () => {
      const page = await newPage();
      await slowDown(page);
      return page;
    };
    await use(context);
  },
  quietConsole: [
    async ({ page }, use) => {
      const errors: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error")
          errors.push(`${page.url()}: ${message.text()} (${message.location().url})`);
      });
      page.on("pageerror", (error) => errors.push(`${page.url()}: ${error}`));
      await use(undefined);
      expect(errors, "errors in the browser's console").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export async function register(page: Page, { email, password }: Account) {
  await page.goto("/register");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { name: "Tasks", level: 1 })).toBeVisible();
}

/** Completes a task by its checkbox, which may be gone before it could be looked at again. */
export const complete = (page: Page, title: string) =>
  page.getByRole("checkbox", { name: `Complete “${title}”` }).click();

export async function addTask(page: Page, line: string, title: string) {
  await page.getByLabel("New task").fill(line);
  await page.getByLabel("New task").press("Enter");
  await expect(page.getByRole("button", { name: title, exact: true })).toBeEnabled();
}

/** Says something to the assistant and waits for the end of its answer. */
export async function say(page: Page, text: string) {
  await page.getByLabel("Message to the assistant").fill(text);
  await page.getByLabel("Message to the assistant").press("Enter");
  await expect(page.getByRole("listitem").getByText(text, { exact: true }).last()).toBeVisible();
  await expect(page.getByRole("button", { name: "Send", exact: true })).toBeVisible();
}

/** Holds what the page asks for at `url` until the returned function is called. */
export async function hold(page: Page, url: string | RegExp) {
  const { promise, resolve } = Promise.withResolvers<void>();
  await page.route(url, async (route) => {
    await promise;
    await route.continue();
  });
  return async () => {
    resolve();
    await page.unrouteAll({ behavior: "wait" });
  };
}
