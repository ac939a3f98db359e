// @vitest-environment jsdom
import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ApiToken, SessionInfo } from "@/lib/api/types";
import { type Handler, json, problem, serve } from "@/test/api";
import { renderPage, USER_ID } from "@/test/render";
import { SettingsView } from "./settings-view";

const at = "2026-11-22T09:00:00Z";
const gone = () => new Response(null, { status: 204 });

const login = (id: string, changes: Partial<SessionInfo> = {}): SessionInfo => ({
  id,
  device: "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36",
  created_at: at,
  last_used_at: at,
  expires_at: at,
  current: false,
  ...changes,
});

const here = login("here", { current: true });
const phone = login("phone", { device: "Mozilla/5.0 (iPhone; like Mac OS X) Safari/604" });
const old = login("old", { device: "Mozilla/5.0 (Windows NT 10.0) Firefox/150.0" });

/** The page of an account with these sessions and tokens, which the server forgets when it is told to. */
async function open(handlers: Record<string, Handler> = {}, tokens: ApiToken[] = []) {
  const server = { sessions: [here, phone, old], tokens };
  const calls = serve({
    ...handlers,
    "GET /api/auth/me": () => json({ id: USER_ID, email: "ada@example.com", created_at: at }),
    "GET /api/auth/sessions": () => json({ items: server.sessions }),
    "GET /api/tokens": () => json({ items: server.tokens }),
    "DELETE /api/auth/sessions": () => {
      server.sessions = [here];
      return gone();
    },
    "DELETE /api/auth/sessions/*": ({ url }) => {
      server.sessions = server.sessions.filter(({ id }) => !url.pathname.endsWith(id));
      return gone();
    },
  });
  const view = renderPage(<SettingsView />);
  await screen.findByText("ada@example.com");
  await screen.findByText("This browser");
  const changes = () => calls.filter(({ call }) => !call.startsWith("GET"));
  return { ...view, server, changes };
}

const part = (name: string) => within(screen.getByRole("region", { name }));
const button = (name: string | RegExp) => screen.getByRole("button", { name });

describe("the password", () => {
  const fill = async (user: Awaited<ReturnType<typeof open>>["user"], now: string, next: string) => {
    await user.type(screen.getByLabelText("Current password"), now);
    await user.type(screen.getByLabelText("New password"), `${next}{Enter}`);
  };

  it("is changed, and nothing of it stays in the form", async () => {
    const { user, changes } = await open({ "PUT /api/auth/password": gone });
    await fill(user, "old horse", "new horse");
    expect(await screen.findByText("Changed. You are logged out everywhere else.")).toBeVisible();
    expect(changes()[0]?.body).toEqual({ password: "old horse", new_password: "new horse" });
    expect(screen.getByLabelText("New password")).toHaveValue("");
  });

  it.each([
    ["wrong_password", 403, "Current password", "This is not your password."],
    ["weak_password", 422, "New password", "This password is one of the commonest."],
  ])("is not changed: %s is told at its field", async (code, status, label, words) => {
    const { user } = await open({ "PUT /api/auth/password": () => problem(status, code, words) });
    await fill(user, "old horse", "new horse");
    await screen.findByText(words);
    expect(screen.getByLabelText(label)).toHaveAccessibleDescription(words);
    expect(screen.getByLabelText(label)).toHaveFocus();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("of less than eight characters is asked nobody about", async () => {
    const { user, changes } = await open();
    await fill(user, "old horse", "short");
    expect(screen.getByLabelText("New password")).toHaveAccessibleDescription(/Use at least 8 characters/);
    expect(changes()).toEqual([]);
  });
});

describe("sessions", () => {
  const name = "Where you are logged in";

  it("are ended one by one, but for the one that this is", async () => {
    const { user, changes } = await open();
    expect(part(name).getAllByRole("button", { name: /^Log out (Safari|Chrome|Firefox)/ })).toHaveLength(2);
    await user.click(button(/^Log out Safari on iPhone/));
    const told = await screen.findByText("Safari on iPhone is logged out.");
    expect(told).toHaveFocus();
    expect(screen.queryByText("Safari on iPhone")).toBeNull();
    expect(changes().map(({ call }) => call)).toEqual(["DELETE /api/auth/sessions/phone"]);
  });

  it("are ended all at once", async () => {
    const { user } = await open();
    await user.click(button("Log out everywhere else"));
    expect(await screen.findByText("You are logged out everywhere else.")).toBeVisible();
    expect(part(name).getAllByRole("listitem")).toHaveLength(1);
    expect(screen.queryByRole("button", { name: "Log out everywhere else" })).toBeNull();
  });
});

describe("API tokens", () => {
  const token: ApiToken = { id: "t1", name: "Backup", scope: "read", created_at: at, last_used_at: null };

  it("are made, and shown once", async () => {
    const { user, changes, server } = await open({
      "POST /api/tokens": ({ body }) => {
        const made = { ...token, ...(body as object) };
        server.tokens = [made];
        return json({ ...made, token: "todo_secret" }, 201);
      },
    });
    await user.type(screen.getByLabelText("What the token is for"), "  Backup of mine ");
    await user.selectOptions(screen.getByLabelText("What it may do"), "write");
    await user.click(button("Make a token"));
    expect(await screen.findByDisplayValue("todo_secret")).toHaveFocus();
    expect(changes()[0]?.body).toEqual({ name: "Backup of mine", scope: "write" });
    await user.click(button("Copy"));
    expect(await navigator.clipboard.readText()).toBe("todo_secret");
    await user.click(button("Done"));
    expect(screen.queryByDisplayValue("todo_secret")).toBeNull();
    expect(await screen.findByText("Read and write, never used")).toBeVisible();
  });

  it("are revoked after a question, and the focus is not lost", async () => {
    const { user, changes, server } = await open({ "DELETE /api/tokens/*": gone }, [token]);
    await user.click(await screen.findByRole("button", { name: "Revoke “Backup”" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Revoke this token?" }));
    expect(changes()).toEqual([]);
    server.tokens = [];
    await user.click(dialog.getByRole("button", { name: "Revoke" }));
    await waitFor(() => expect(screen.queryByText("Backup")).toBeNull());
    expect(screen.getByLabelText("What the token is for")).toHaveFocus();
  });

  it("are not made where there are too many, which is said", async () => {
    const { user } = await open({
      "POST /api/tokens": () => problem(409, "too_many_tokens", "There are 100 tokens: revoke one first."),
    });
    await user.type(screen.getByLabelText("What the token is for"), "One more{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("There are 100 tokens: revoke one first.");
    expect(screen.getByLabelText("What the token is for")).toHaveValue("One more");
  });
});

describe("the data", () => {
  beforeEach(() => {
    // What jsdom lacks.
    URL.createObjectURL = vi.fn(() => "blob:file");
    URL.revokeObjectURL = vi.fn();
  });

  it("is saved as a file", async () => {
    const saved: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      saved.push(this.download);
    });
    const { user } = await open({ "GET /api/export": () => new Response("id,title\r\n") });
    await user.click(button("Tasks, as CSV"));
    await waitFor(() => expect(saved).toEqual(["todo.csv"]));
  });

  it("is not saved where the file broke off", async () => {
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click");
    const { user } = await open({ "GET /api/export": () => problem(503, "overloaded", "Too much to do.") });
    await user.click(button("Everything, as JSON"));
    expect(await screen.findByRole("alert")).toHaveTextContent("The service is not available at the moment.");
    expect(click).not.toHaveBeenCalled();
  });

  const choose = (text: string) =>
    Object.assign(new File([text], "todo.json", { type: "application/json" }), { text: async () => text });

  it("is taken in from an export", async () => {
    const { user, changes } = await open({
      "POST /api/import": () =>
        json({ tasks: { added: 1, skipped: 2 }, conversations: { added: 0, skipped: 0 } }),
    });
    const file = { format: "todo", version: 1, tasks: [] };
    await user.upload(screen.getByLabelText("File to take in"), choose(JSON.stringify(file)));
    expect(
      await screen.findByText("1 task and 0 conversations added; 2 were there already."),
    ).toBeInTheDocument();
    expect(changes()[0]?.body).toEqual(file);
  });

  it("is taken in from a table, as it is", async () => {
    const { user, changes } = await open({
      "POST /api/import": () =>
        json({ tasks: { added: 2, skipped: 0 }, conversations: { added: 0, skipped: 0 } }),
    });
    const table = "title;tags\r\nBuy milk;home\r\n";
    const excel = new File([table], "tasks.csv", { type: "application/vnd.ms-excel" });
    await user.upload(screen.getByLabelText("File to take in"), excel);
    expect(await screen.findByText("2 tasks and 0 conversations added.")).toBeInTheDocument();
    expect(changes()[0]?.headers.get("content-type")).toBe("text/csv");
    expect(changes()[0]?.body).toBe(table);
  });

  it("is not taken in from anything else", async () => {
    const { user, changes } = await open();
    await user.upload(screen.getByLabelText("File to take in"), choose("id,title"));
    expect(await screen.findByRole("alert")).toHaveTextContent("This is no export of Todo");
    expect(changes()).toEqual([]);
  });
});

it("the account is deleted with its password alone", async () => {
  const { user, changes } = await open({
    "DELETE /api/auth/me": () => problem(403, "wrong_password", "The password is wrong."),
  });
  await user.click(button("Delete account…"));
  await user.type(await screen.findByLabelText("Your password"), "wrong horse");
  await user.click(button("Delete for good"));
  await screen.findByText("This is not your password.");
  expect(screen.getByLabelText("Your password")).toHaveAccessibleDescription("This is not your password.");
  expect(changes()[0]?.body).toEqual({ password: "wrong horse" });
});
