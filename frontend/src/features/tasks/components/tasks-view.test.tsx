// @vitest-environment jsdom
import { onlineManager } from "@tanstack/react-query";
import { act, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Task } from "@/lib/api/types";
import { deferred, json, page, problem, serve, task } from "@/test/api";
import { navigation } from "@/test/navigation";
import { clickInMessage, renderPage } from "@/test/render";
import { TasksView } from "./tasks-view";

const away = () => problem(503, "database_unavailable", "The database does not answer.");

beforeEach(() => navigation.at("/tasks"));

/** The page with these tasks behind it, once they are on the screen. */
async function open(tasks: Task[], handlers: Parameters<typeof serve>[0] = {}) {
  const calls = serve({ "GET /api/tasks": () => json(page(tasks)), ...handlers });
  const view = renderPage(<TasksView />);
  const first = tasks[0];
  if (first) await screen.findByRole("button", { name: first.title, hidden: true });
  else await screen.findByText("All clear");
  return { ...view, calls };
}

/** A server with a trash. */
function trash(...tasks: Task[]) {
  const gone = new Set<string>();
  const idOf = (url: URL) => url.pathname.split("/")[3] ?? "";
  return {
    "GET /api/tasks": () => json(page(tasks.filter((each) => !gone.has(each.id)))),
    "DELETE /api/tasks/*": ({ url }: { url: URL }) => {
      gone.add(idOf(url));
      return new Response(null, { status: 204 });
    },
    "POST /api/tasks/*/restore": ({ url }: { url: URL }) => {
      gone.delete(idOf(url));
      return json(tasks.find((each) => each.id === idOf(url)));
    },
  };
}

const row = (title: string) => screen.queryByRole("button", { name: title });
const newTask = () => screen.getByLabelText("New task");

describe("adding", () => {
  it("shows the task before the server has answered, then what the server made of it", async () => {
    const answer = deferred<Response>();
    const tasks = [task({ title: "Read" })];
    const { user, calls } = await open(tasks, { "POST /api/tasks": () => answer.promise });
    await user.type(newTask(), "Pay rent !high #home{Enter}");
    const complete = screen.getByLabelText("Complete “Pay rent”");
    expect(complete).toBeDisabled();
    expect(newTask()).toHaveValue("");
    expect(calls.find((c) => c.call === "POST /api/tasks")?.body).toEqual({
      title: "Pay rent",
      priority: "high",
      tags: ["home"],
    });
    const stored = task({ title: "Pay rent", priority: "high", tags: ["home"] });
    tasks.push(stored);
    answer.resolve(json(stored, 201));
    await waitFor(() => expect(complete).toBeEnabled());
  });

  it("lets the new row have the focus at once, and keeps it there when the server has answered", async () => {
    const answer = deferred<Response>();
    const tasks: Task[] = [];
    const { user, calls } = await open(tasks, { "POST /api/tasks": () => answer.promise });
    await user.type(newTask(), "Pay rent{Enter}{Escape}");
    await user.keyboard("je");
    expect(row("Pay rent")).toHaveFocus();
    const stored = task({ title: "Pay rent" });
    tasks.push(stored);
    answer.resolve(json(stored, 201));
    await waitFor(() => expect(screen.getByLabelText("Complete “Pay rent”")).toBeEnabled());
    expect(row("Pay rent")).toHaveFocus();
    await user.keyboard("e");
    expect(await screen.findByLabelText("Title")).toHaveValue("Pay rent");
    expect(calls.some((c) => c.call.startsWith("PATCH"))).toBe(false);
  });

  it("takes the task away again, says so and gives the text back when the server refuses", async () => {
    const { user } = await open([], { "POST /api/tasks": away });
    await user.type(newTask(), "Pay rent tomorrow{Enter}");
    await screen.findByText(/“Pay rent” was not added/);
    expect(row("Pay rent")).toBeNull();
    expect(newTask()).toHaveValue("Pay rent tomorrow");
  });

  it("lets a recognised word be kept in the title", async () => {
    const { user } = await open([]);
    await user.type(newTask(), "Watch Friday");
    await user.click(screen.getByRole("button", { name: "Keep “Friday” in the title" }));
    expect(screen.queryByRole("button", { name: /in the title/ })).toBeNull();
  });
});

describe("completing", () => {
  it("is visible at once and rolled back with a message when the server refuses", async () => {
    const answer = deferred<Response>();
    const { user } = await open([task({ title: "Read" })], { "PATCH /api/tasks/*": () => answer.promise });
    const box = screen.getByRole("checkbox", { name: "Complete “Read”" });
    await user.click(box);
    expect(box).toBeChecked();
    answer.resolve(away());
    await screen.findByText(/“Read” was not changed/);
    await waitFor(() => expect(screen.queryByText("Completed “Read”")).toBeNull());
    expect(screen.getByRole("checkbox", { name: "Complete “Read”" })).not.toBeChecked();
  });

  it("can be undone", async () => {
    const read = task({ title: "Read" });
    const { user, calls } = await open([read], {
      "PATCH /api/tasks/*": ({ body }) => json({ ...read, ...(body as Partial<Task>) }),
    });
    await user.click(screen.getByRole("checkbox", { name: "Complete “Read”" }));
    await clickInMessage(user, "Undo");
    const bodies = () => calls.filter((c) => c.call.startsWith("PATCH")).map((c) => c.body);
    await waitFor(() => expect(bodies()).toEqual([{ completed: true }, { completed: false }]));
  });

  it("can be undone once by key, with Ctrl also where single keys are off", async () => {
    localStorage.setItem("todo.shortcuts", "off");
    const read = task({ title: "Read" });
    const { user, calls } = await open([read], {
      "PATCH /api/tasks/*": ({ body }) => json({ ...read, ...(body as Partial<Task>) }),
    });
    await user.click(screen.getByRole("checkbox", { name: "Complete “Read”" }));
    await screen.findByRole("button", { name: "Undo" });
    const bodies = () => calls.filter((c) => c.call.startsWith("PATCH")).map((c) => c.body);
    await user.keyboard("z");
    expect(bodies()).toHaveLength(1);
    await user.keyboard("{Control>}z{/Control}");
    await waitFor(() => expect(bodies()).toEqual([{ completed: true }, { completed: false }]));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Undo" })).toBeNull());
    await user.keyboard("{Control>}z{/Control}");
    expect(bodies()).toHaveLength(2);
  });
});

describe("deleting", () => {
  it("happens on the server at once, and so does taking it back", async () => {
    const read = task({ title: "Read" });
    const { user, calls } = await open([read], trash(read));
    await user.click(screen.getByRole("button", { name: "Delete “Read”" }));
    expect(row("Read")).toBeNull();
    await screen.findByText("All clear");
    await clickInMessage(user, "Undo");
    expect(await screen.findByRole("button", { name: "Read" })).toBeVisible();
    await waitFor(() => expect(calls.at(-1)?.call).toBe("GET /api/tasks"));
    expect(calls.map((c) => c.call).filter((call) => !call.startsWith("GET"))).toEqual([
      `DELETE /api/tasks/${read.id}`,
      `POST /api/tasks/${read.id}/restore`,
    ]);
  });

  it("brings the task back, and takes its word back, when that fails", async () => {
    const { user } = await open([task({ title: "Read" })], { "DELETE /api/tasks/*": away });
    await user.click(screen.getByRole("button", { name: "Delete “Read”" }));
    await screen.findByText(/“Read” was not deleted/);
    expect(await screen.findByRole("button", { name: "Read" })).toBeVisible();
    await waitFor(() => expect(screen.queryByText("Deleted “Read”")).toBeNull());
  });
});

describe("editing", () => {
  it("sends only what has changed", async () => {
    const read = task({ title: "Read", description: "A book", tags: ["home"] });
    const { user, calls } = await open([read], {
      "PATCH /api/tasks/*": ({ body }) => json({ ...read, ...(body as Partial<Task>) }),
    });
    await user.click(screen.getByRole("button", { name: "Read" }));
    const form = within(await screen.findByRole("form", { name: "Edit “Read”" }));
    await user.clear(form.getByLabelText("Title"));
    await user.type(form.getByLabelText("Title"), "Read more");
    await user.type(form.getByLabelText("Tags"), "#Quiet,");
    await user.click(form.getByRole("radio", { name: "High" }));
    await user.keyboard("{Control>}{Enter}{/Control}");
    expect(calls.find((c) => c.call.startsWith("PATCH"))?.body).toEqual({
      title: "Read more",
      priority: "high",
      tags: ["home", "quiet"],
    });
  });

  it("sends nothing when it is cancelled, and returns the focus to the row", async () => {
    const { user, calls } = await open([task({ title: "Read" })]);
    await user.click(screen.getByRole("button", { name: "Read" }));
    await user.type(await screen.findByLabelText("Title"), " more{Escape}");
    expect(row("Read")).toHaveFocus();
    expect(calls.some((c) => c.call.startsWith("PATCH"))).toBe(false);
  });
});

describe("the keyboard", () => {
  it("moves between rows, edits, completes and deletes the focused one", async () => {
    const [a, b] = [task({ title: "Alpha" }), task({ title: "Beta" })];
    const { user, calls } = await open([a, b], {
      ...trash(a, b),
      "PATCH /api/tasks/*": () => json({ ...b, completed: true }),
    });
    await user.keyboard("jj");
    expect(row("Beta")).toHaveFocus();
    await user.keyboard("x");
    expect(calls.find((c) => c.call.startsWith("PATCH"))?.url.pathname).toBe(`/api/tasks/${b.id}`);
    await user.keyboard("k");
    expect(row("Alpha")).toHaveFocus();
    await user.keyboard("e");
    expect(await screen.findByLabelText("Title")).toHaveFocus();
    await user.keyboard("{Escape}{Delete}");
    expect(row("Alpha")).toBeNull();
    await waitFor(() => expect(row("Beta")).toHaveFocus());
    await user.keyboard("z");
    await waitFor(() => expect(row("Alpha")).toHaveFocus());
  });

  it("keeps the focus in the list when its last task goes, and brings that back", async () => {
    const alpha = task({ title: "Alpha" });
    const { user } = await open([alpha], trash(alpha));
    await user.keyboard("j{Delete}");
    expect(await screen.findByText("All clear")).toBeVisible();
    expect(screen.getByRole("region", { name: "Task list" })).toHaveFocus();
    await user.keyboard("z");
    await waitFor(() => expect(row("Alpha")).toHaveFocus());
  });

  it("goes to the new task and to the search, but not while typing", async () => {
    const { user } = await open([]);
    await user.keyboard("n");
    expect(newTask()).toHaveFocus();
    await user.keyboard("/n");
    expect(newTask()).toHaveValue("/n");
    await user.clear(newTask());
    await user.keyboard("{Escape}/");
    expect(screen.getByLabelText("Search tasks")).toHaveFocus();
  });

  it("is quiet for people who have switched shortcuts off", async () => {
    localStorage.setItem("todo.shortcuts", "off");
    const { user } = await open([]);
    await user.keyboard("n");
    expect(newTask()).not.toHaveFocus();
  });
});

describe("filters", () => {
  it("go into the address and to the API", async () => {
    const { user, calls } = await open([task({ title: "Read", tags: ["home"] })]);
    await user.click(screen.getByRole("button", { name: "All" }));
    await user.click(screen.getByRole("button", { name: "Filters and order" }));
    await user.selectOptions(screen.getByLabelText("Priority"), "High priority");
    await user.selectOptions(screen.getByLabelText("Tag"), "#home");
    await user.type(screen.getByLabelText("Search tasks"), "book");
    await waitFor(() => expect(location.search).toBe("?status=all&priority=high&tag=home&q=book"));
    await waitFor(() =>
      expect(Object.fromEntries(calls.at(-1)?.url.searchParams ?? [])).toEqual({
        sort: "due_at",
        priority: "high",
        tag: "home",
        q: "book",
        limit: "50",
      }),
    );
  });

  it("are taken back by Back, one after the other", async () => {
    const { user } = await open([task({ title: "Read" })]);
    await user.click(screen.getByRole("button", { name: "All" }));
    await user.click(screen.getByRole("button", { name: "Done" }));
    history.back();
    const all = screen.getByRole("button", { name: "All" });
    await waitFor(() => expect(all).toHaveAttribute("aria-pressed", "true"));
  });

  it("that leave a new task out say so, and show it when asked", async () => {
    const added = task({ title: "Pay rent" });
    const { user } = await open([task({ title: "Read" })], {
      "POST /api/tasks": () => json(added, 201),
      "GET /api/tasks/*": () => json(added),
    });
    await user.click(screen.getByRole("button", { name: "Done" }));
    await user.type(newTask(), "Pay rent{Enter}");
    await screen.findByText(/^Added “Pay rent”/);
    await clickInMessage(user, "Show");
    expect(await screen.findByRole("dialog")).toBeVisible();
  });

  it("that cannot be read without a network show no rows of others", async () => {
    const { user } = await open([task({ title: "Read" })]);
    act(() => onlineManager.setOnline(false));
    await user.click(screen.getByRole("button", { name: "Done" }));
    await screen.findByText("Not to be read offline");
    expect(row("Read")).toBeNull();
    act(() => onlineManager.setOnline(true));
    expect(await screen.findByRole("button", { name: "Read" })).toBeVisible();
  });

  it("are read from the address, and can be cleared when nothing matches", async () => {
    navigation.at("/tasks?q=nothing&priority=low");
    serve({
      "GET /api/tasks": ({ url }) => json(page(url.searchParams.get("q") ? [] : [task({ title: "Read" })])),
    });
    const { user } = renderPage(<TasksView />);
    expect(screen.getByLabelText("Search tasks")).toHaveValue("nothing");
    await user.click(await screen.findByRole("button", { name: "Clear filters" }));
    await screen.findByRole("button", { name: "Read" });
    expect(location.search).toBe("?status=all");
  });
});

describe("however late the router takes over the address", () => {
  it("filters at once", async () => {
    const { user, calls } = await open([task({ title: "Read" })]);
    const catchUp = navigation.hold();
    await user.click(screen.getByRole("button", { name: "All" }));
    expect(screen.getByRole("button", { name: "All" })).toHaveAttribute("aria-pressed", "true");
    await user.click(screen.getByRole("button", { name: "Done" }));
    await waitFor(() => expect(calls.at(-1)?.url.searchParams.get("status")).toBe("completed"));
    const asked = calls.length;
    await catchUp();
    expect(screen.getByRole("button", { name: "Done" })).toHaveAttribute("aria-pressed", "true");
    expect(calls).toHaveLength(asked);
  });

  it("searches at once, and loses no letter that is typed meanwhile", async () => {
    const { user } = await open([task({ title: "Read" })]);
    const search = screen.getByLabelText("Search tasks");
    const catchUp = navigation.hold();
    await user.type(search, "re");
    await waitFor(() => expect(location.search).toBe("?q=re"));
    await user.type(search, "ad");
    await catchUp();
    expect(search).toHaveValue("read");
  });

  it("closes the task of a link at once", async () => {
    const read = task({ title: "Read" });
    navigation.at(`/tasks?task=${read.id}`);
    const catchUp = navigation.hold();
    const { user } = await open([read], { "GET /api/tasks/*": () => json(read) });
    await screen.findByRole("dialog");
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(location.search).toBe("");
    await catchUp();
    expect(screen.queryByRole("dialog")).toBeNull();
  });
});

describe("the list", () => {
  it("says when it could not be loaded, and loads when asked again", async () => {
    let healthy = false;
    serve({
      "GET /api/tasks": () =>
        healthy ? json(page([task({ title: "Read" })])) : problem(400, "bad_request", "That was wrong."),
    });
    const { user } = renderPage(<TasksView />);
    await screen.findByText("Your tasks could not be loaded");
    healthy = true;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("button", { name: "Read" });
  });

  it("loads the next page with the cursor of the one before, and keeps the focus", async () => {
    const { user, calls } = await open([task({ title: "First" })], {
      "GET /api/tasks": ({ url }) =>
        json(
          url.searchParams.get("cursor") === "c2"
            ? page([task({ title: "Second" })])
            : page([task({ title: "First" })], "c2"),
        ),
    });
    await user.click(screen.getByRole("button", { name: "Show more" }));
    expect(await screen.findByRole("button", { name: "Second" })).toHaveFocus();
    expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
    expect(row("First")).toBeVisible();
    expect(calls).toHaveLength(2);
  });

  it("sends the user to the login when the session has ended", async () => {
    serve({ "GET /api/tasks": () => problem(401, "not_authenticated", "Log in first.") });
    renderPage(<TasksView />);
    await waitFor(() => expect(navigation.went).toEqual(["/login?expired&next=%2Ftasks"]));
  });
});
