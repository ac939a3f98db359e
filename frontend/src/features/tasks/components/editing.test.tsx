// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Task } from "@/lib/api/types";
import { json, page, problem, serve, task } from "@/test/api";
import { navigation } from "@/test/navigation";
import { renderPage } from "@/test/render";
import { TasksView } from "./tasks-view";

beforeEach(() => navigation.at("/tasks"));

/** The page with this task behind it, which the server changes as it is told, if it is the version that is meant. */
async function open(stored: Task, others: Task[] = []) {
  const server = { task: stored };
  const calls = serve({
    "GET /api/tasks": () => json(page([server.task, ...others])),
    "GET /api/tasks/*": () => json(server.task),
    "DELETE /api/tasks/*": () => new Response(null, { status: 204 }),
    "PATCH /api/tasks/*": ({ body, headers }) => {
      const expected = headers.get("if-match");
      if (expected && expected !== `"${server.task.version}"`)
        return problem(412, "task_changed", "The task has changed since.", { current: server.task });
      server.task = { ...server.task, ...(body as Partial<Task>), version: server.task.version + 1 };
      return json(server.task);
    },
  });
  const view = renderPage(<TasksView />);
  await screen.findByRole("button", { name: stored.title });
  const bodies = () => calls.filter((c) => c.call.startsWith("PATCH")).map((c) => c.body);
  return { ...view, server, calls, bodies };
}

/** The form comes after the page: it may have to be waited for. */
const title = () => screen.findByLabelText("Title");
const row = (name: string) => screen.getByRole("button", { name });

describe("an edit", () => {
  it("does not take back what was changed elsewhere meanwhile, where it is about something else", async () => {
    const { user, server, bodies } = await open(task({ title: "v1" }));
    await user.click(row("v1"));
    server.task = { ...server.task, title: "v2", version: 2 };
    await user.type(await screen.findByLabelText("Description"), "More");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await screen.findByRole("button", { name: "v2" });
    expect(bodies()).toEqual([{ description: "More" }, { description: "More" }]);
    expect(server.task).toMatchObject({ title: "v2", description: "More" });
  });

  it("shows what was changed elsewhere where both are about the same, and saves after that only", async () => {
    const { user, server } = await open(task({ title: "v1" }));
    await user.click(row("v1"));
    server.task = { ...server.task, title: "v2", version: 2 };
    await user.clear(await title());
    await user.type(await title(), "mine");
    await user.click(screen.getByRole("button", { name: "Save" }));
    expect(await screen.findByText(/it is “v2” now/)).toBeVisible();
    expect(await title()).toHaveValue("mine");
    expect(server.task.title).toBe("v2");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(server.task.title).toBe("mine"));
  });

  it("can give way to what was changed elsewhere", async () => {
    const { user, server, bodies } = await open(task({ title: "v1" }));
    await user.click(row("v1"));
    server.task = { ...server.task, title: "v2", version: 2 };
    await user.type(await title(), "!");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await user.click(await screen.findByRole("button", { name: "Take theirs" }));
    expect(await title()).toHaveValue("v2");
    await user.click(screen.getByRole("button", { name: "Save" }));
    expect(bodies()).toHaveLength(1);
  });

  it("of a task behind a link begins with what the task is now", async () => {
    const { user, server, calls } = await open(task({ title: "Oat milk" }));
    await user.click(row("Oat milk"));
    await user.type(await title(), "!");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await screen.findByRole("button", { name: "Oat milk!" });
    server.task = { ...server.task, title: "Almond milk", version: 9 };
    navigation.at(`/tasks?task=${server.task.id}`);
    dispatchEvent(new PopStateEvent("popstate"));
    await screen.findByRole("dialog");
    expect(await title()).toHaveValue("Almond milk");
    await user.click(screen.getByRole("button", { name: "Save" }));
    expect(calls.filter((c) => c.call.startsWith("PATCH"))).toHaveLength(1);
  });

  it("owns the keys in its form", async () => {
    const { user, calls } = await open(task({ title: "Read", tags: ["home"] }), [task({ title: "Write" })]);
    await user.click(row("Read"));
    (await screen.findByRole("button", { name: "Remove the tag home" })).focus();
    await user.keyboard("{Backspace}x");
    screen.getByRole("radio", { name: "Medium" }).focus();
    await user.keyboard("x{Delete}j{ArrowDown}");
    expect(screen.getByRole("radio", { name: "Low" })).toHaveFocus();
    expect(screen.getByRole("form", { name: "Edit “Read”" })).toBeVisible();
    expect(calls.filter((c) => !c.call.startsWith("GET"))).toEqual([]);
  });

  it("takes a tag that was not ended, and its form does not grow under the click on Save", async () => {
    const { user, bodies } = await open(task({ title: "Read" }));
    await user.click(row("Read"));
    await user.click(await screen.findByLabelText("Tags"));
    await user.paste("home, work");
    expect(screen.getByRole("button", { name: "Remove the tag home" })).toBeVisible();
    screen.getByRole("button", { name: "Save" }).focus();
    expect(screen.queryByRole("button", { name: "Remove the tag work" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(bodies()).toEqual([{ tags: ["home", "work"] }]));
  });

  it.each(["Escape", "another row"])("that is left by %s can be gone on with", async (way) => {
    const { user, bodies } = await open(task({ title: "Read" }), [task({ title: "Write" })]);
    await user.click(row("Read"));
    await user.type(await title(), " more");
    if (way === "Escape") await user.keyboard("{Escape}");
    else await user.click(row("Write"));
    await user.click(await screen.findByRole("button", { name: "Edit again" }));
    expect(await title()).toHaveValue("Read more");
    expect(bodies()).toEqual([]);
  });

  it("survives a reload, as does what was typed for a new task", async () => {
    const { user, unmount } = await open(task({ title: "Read" }));
    await user.type(screen.getByLabelText("New task"), "Half a th");
    await user.click(row("Read"));
    await user.type(await title(), " more");
    unmount();
    renderPage(<TasksView />);
    expect(await title()).toHaveValue("Read more");
    expect(screen.getByLabelText("New task")).toHaveValue("Half a th");
  });

  it("that was saved while the page was being reloaded is not open again", async () => {
    const { user, server, unmount } = await open(task({ title: "Read" }));
    await user.click(row("Read"));
    await user.type(await title(), " more");
    unmount();
    server.task = { ...server.task, title: "Read more", version: 2 };
    renderPage(<TasksView />);
    await screen.findByRole("button", { name: "Read more" });
    expect(screen.queryByLabelText("Title")).toBeNull();
  });

  it("survives an expired session", async () => {
    const read = task({ title: "Read" });
    const { user, unmount } = await open(read);
    const expired = () => problem(401, "not_authenticated", "Log in first.");
    serve({ "GET /api/tasks": expired, "PATCH /api/tasks/*": expired, "POST /api/tasks": expired });
    await user.type(screen.getByLabelText("New task"), "Pay rent{Enter}");
    await user.click(row("Read"));
    await user.type(await title(), " more");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(navigation.went).toContain("/login?expired&next=%2Ftasks"));
    unmount();
    serve({ "GET /api/tasks": () => json(page([read])) });
    renderPage(<TasksView />);
    expect(await title()).toHaveValue("Read more");
    expect(screen.getByLabelText("New task")).toHaveValue("Pay rent");
  });
});
