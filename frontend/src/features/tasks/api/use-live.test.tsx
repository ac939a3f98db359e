// @vitest-environment jsdom
import { onlineManager } from "@tanstack/react-query";
import { act, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { TasksView } from "@/features/tasks/components/tasks-view";
import { json, page, serve, task } from "@/test/api";
import { navigation } from "@/test/navigation";
import { renderPage } from "@/test/render";
import { useLive } from "./use-live";

/** The browser's own, as far as the page uses it. */
class FakeEventSource extends EventTarget {
  static readonly CLOSED = 2;
  static made: FakeEventSource[] = [];
  readyState = 1;
  constructor(readonly url: string) {
    super();
    FakeEventSource.made.push(this);
  }
  close() {
    this.readyState = FakeEventSource.CLOSED;
  }
  send(event: string, data: unknown) {
    this.dispatchEvent(new MessageEvent(event, { data: JSON.stringify(data) }));
  }
}

const source = () => FakeEventSource.made.at(-1) as FakeEventSource;

function Page() {
  useLive();
  return <TasksView />;
}

beforeEach(() => {
  FakeEventSource.made = [];
  vi.stubGlobal("EventSource", FakeEventSource);
  navigation.at("/tasks");
});
afterEach(() => act(() => onlineManager.setOnline(true)));

async function open() {
  const tasks = [task({ title: "Read", version: 2 })];
  const calls = serve({ "GET /api/tasks": () => json(page([...tasks])) });
  renderPage(<Page />);
  await screen.findByRole("button", { name: "Read" });
  source().send("ready", { resumed: false });
  return { tasks, calls };
}

const changed = (change: string, id: string | undefined, version: number) =>
  source().send("task", { change, task_id: id, version });

it("shows what is changed elsewhere", async () => {
  const { tasks } = await open();
  const added = task({ title: "From elsewhere" });
  tasks.push(added);
  changed("created", added.id, 1);
  await screen.findByRole("button", { name: "From elsewhere" });
  tasks.pop();
  changed("deleted", added.id, 2);
  await waitFor(() => expect(screen.queryByRole("button", { name: "From elsewhere" })).toBeNull());
});

it("reads nothing for what it knows already, and once for many changes", async () => {
  const { tasks, calls } = await open();
  changed("updated", tasks[0]?.id, 2);
  changed("deleted", "gone", 5);
  for (let version = 3; version < 9; version++) changed("updated", tasks[0]?.id, version);
  await waitFor(() => expect(calls).toHaveLength(2));
});

it("reads all anew after a time without a network, and where the stream could not be resumed", async () => {
  const { tasks } = await open();
  act(() => onlineManager.setOnline(false));
  expect(source().readyState).toBe(FakeEventSource.CLOSED);
  tasks.push(task({ title: "Meanwhile" }));
  act(() => onlineManager.setOnline(true));
  expect(FakeEventSource.made).toHaveLength(2);
  source().send("ready", { resumed: false });
  await screen.findByRole("button", { name: "Meanwhile" });
  source().send("ready", { resumed: true });
});
