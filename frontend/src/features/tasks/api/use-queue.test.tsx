// @vitest-environment jsdom
import { onlineManager } from "@tanstack/react-query";
import { act, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it } from "vitest";
import { TasksView } from "@/features/tasks/components/tasks-view";
import type { Task } from "@/lib/api/types";
import { forgetKept } from "@/lib/kept";
import { json, page, problem, serve, task } from "@/test/api";
import { navigation } from "@/test/navigation";
import { renderPage } from "@/test/render";
import { useQueue } from "./use-queue";

beforeEach(() => navigation.at("/tasks"));
afterEach(() => onlineManager.setOnline(true));

function Page() {
  useQueue();
  return <TasksView />;
}

/** A server that has these tasks, and what it was asked to change. */
function backend(...tasks: Task[]) {
  const server = { tasks };
  const calls = serve({
    "GET /api/tasks": () => json(page(server.tasks)),
    "POST /api/tasks": ({ body }) => {
      const made = task(body as Partial<Task>);
      server.tasks = [...server.tasks, made];
      return json(made, 201);
    },
    "PATCH /api/tasks/*": ({ url, body, headers }) => {
      const stored = server.tasks.find(({ id }) => url.pathname.endsWith(id)) as Task;
      const expected = headers.get("if-match");
      if (expected && expected !== `"${stored.version}"`)
        return problem(412, "task_changed", "The task has changed since.", { current: stored });
      const changed = { ...stored, ...(body as Partial<Task>), version: stored.version + 1 };
      server.tasks = server.tasks.map((other) => (other === stored ? changed : other));
      return json(changed);
    },
    "DELETE /api/tasks/*": ({ url }) => {
      server.tasks = server.tasks.filter(({ id }) => !url.pathname.endsWith(id));
      return new Response(null, { status: 204 });
    },
  });
  const changes = () => calls.filter(({ call }) => !call.startsWith("GET"));
  return { server, changes };
}

const offline = () => act(async () => onlineManager.setOnline(false));
const online = () => act(async () => onlineManager.setOnline(true));

/** Closes the page and opens it again, as a reload does. */
async function reload({ unmount }: ReturnType<typeof renderPage>) {
  // The page is told before it goes.
  act(() => void dispatchEvent(new Event("pagehide")));
  unmount();
  const next = renderPage(<Page />);
  await screen.findByLabelText("New task");
  return next;
}

async function open() {
  const view = renderPage(<Page />);
  await screen.findByRole("button", { name: "Read" });
  return view;
}

const read = () => task({ title: "Read" });

it("changes without a network outlive the page, show, and are sent in their order", async () => {
  const { server, changes } = backend(read(), task({ title: "Write" }));
  const view = await open();
  await offline();
  await view.user.type(screen.getByLabelText("New task"), "Pay rent{Enter}{Escape}");
  await view.user.click(screen.getByRole("checkbox", { name: "Complete “Write”" }));
  await view.user.click(screen.getByRole("button", { name: "Delete “Read”" }));
  await screen.findByText("Pay rent");
  await reload(view);
  expect(await screen.findByText("Pay rent")).toBeVisible();
  expect(screen.queryByText("Read")).toBeNull();
  expect(changes()).toEqual([]);

  await online();
  await waitFor(() => expect(changes()).toHaveLength(3));
  expect(changes().map(({ call }) => call.split(" ")[0])).toEqual(["POST", "PATCH", "DELETE"]);
  expect(await screen.findByRole("button", { name: "Pay rent" })).toBeEnabled();
  expect(server.tasks.map(({ title, completed }) => [title, completed])).toEqual([
    ["Write", true],
    ["Pay rent", false],
  ]);
});

it("a new task whose answer did not arrive is sent again by the name that it had", async () => {
  const { changes } = backend(read());
  const view = await open();
  await offline();
  await view.user.type(screen.getByLabelText("New task"), "Pay rent{Enter}");
  const kept = await waitFor(() => {
    const key = Object.keys(localStorage).find((name) => name.includes(".queue."));
    expect(key).toBeDefined();
    return localStorage.getItem(key as string) as string;
  });
  const [{ state }] = JSON.parse(kept);
  await reload(view);
  await online();
  await waitFor(() => expect(changes()).toHaveLength(1));
  expect(changes()[0]?.headers.get("idempotency-key")).toBe(state.variables.key);
});

it("an edit that meets another one is shown with it, and saved after that only", async () => {
  const { server, changes } = backend(read());
  const view = await open();
  await offline();
  await view.user.click(screen.getByRole("button", { name: "Read" }));
  await view.user.type(await screen.findByLabelText("Title"), " mine{Enter}");
  await screen.findByRole("button", { name: "Read mine" });
  server.tasks = server.tasks.map((stored) => ({ ...stored, title: "Read theirs", version: 2 }));
  await reload(view);
  await online();
  expect(await screen.findByText(/it is “Read theirs” now/)).toBeVisible();
  expect(screen.getByLabelText("Title")).toHaveValue("Read mine");
  expect(changes().map(({ call }) => call.split(" ")[0])).toEqual(["PATCH"]);
  expect(server.tasks[0]?.title).toBe("Read theirs");
});

it("a change that is refused is told of, and what was typed is there again", async () => {
  const view = await (async () => {
    backend(read());
    const opened = await open();
    await offline();
    await opened.user.type(screen.getByLabelText("New task"), "Pay rent{Enter}");
    return opened;
  })();
  serve({
    "GET /api/tasks": () => json(page([])),
    "POST /api/tasks": () => problem(409, "too_many_tasks", "There are 10,000 tasks."),
  });
  await reload(view);
  await online();
  expect(await screen.findByText("“Pay rent” was not added. There are 10,000 tasks.")).toBeVisible();
  await waitFor(() => expect(screen.getByLabelText("New task")).toHaveValue("Pay rent"));
});

it.each([
  ["the session has ended", 401, "not_authenticated"],
  ["somebody else is logged in by now", 409, "other_user"],
  ["the server has a fault", 503, "unavailable"],
])("a change that an earlier page has left is sent later where %s", async (_, status, code) => {
  const view = await (async () => {
    backend(read());
    const opened = await open();
    await offline();
    await opened.user.type(screen.getByLabelText("New task"), "Pay rent{Enter}");
    return opened;
  })();
  const refused = serve({
    "GET /api/tasks": () => problem(status, code, "Not now."),
    "POST /api/tasks": () => problem(status, code, "Not now."),
  });
  const next = await reload(view);
  await online();
  await waitFor(() => expect(refused.map(({ call }) => call)).toContain("POST /api/tasks"));
  await screen.findByText(/“Pay rent” was not added./);
  expect(screen.getByLabelText("New task")).toHaveValue("");

  const { server, changes } = backend(read());
  await reload(next);
  await waitFor(() => expect(changes()).toHaveLength(1));
  expect(server.tasks.map(({ title }) => title)).toEqual(["Read", "Pay rent"]);
});

it("nothing of it is left after a logout", async () => {
  backend(read());
  const view = await open();
  await offline();
  await view.user.type(screen.getByLabelText("New task"), "Pay rent{Enter}");
  forgetKept();
  expect(Object.values(localStorage).join()).not.toContain("Pay rent");
});
