// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import type { Conversation } from "@/lib/api/types";
import { deferred, json, problem, serve } from "@/test/api";
import { AT, conversation, done, history, ID, milk, result, say, started } from "@/test/chat";
import { navigation } from "@/test/navigation";
import { renderPage } from "@/test/render";
import { ChatView } from "./chat-view";

beforeEach(() => navigation.at("/chat"));

it("says before anything is said that the offline assistant answers, to screen readers too", async () => {
  serve({
    "GET /api/chat/conversations": () => json({ items: [], next_cursor: null, assistant: "offline" }),
  });
  renderPage(<ChatView />);
  const status = screen.getByRole("status");
  expect(status).toBeEmptyDOMElement();
  await waitFor(() => expect(status).toHaveTextContent("the built-in offline assistant"));
  expect(screen.getByText("What shall we get done?")).toBeVisible();
});

it("says nothing of the kind when a model answers", async () => {
  serve(history);
  renderPage(<ChatView />);
  await screen.findByText("Your conversations appear here.");
  expect(screen.getByRole("status")).toBeEmptyDOMElement();
});

it("shows the answer while it comes, and links the task", async () => {
  const stream = conversation();
  const call = { id: "1", name: "add_task", arguments: {}, result };
  const calls = serve({
    ...history,
    "POST /api/chat": () => stream.response,
    "GET /api/chat/conversations/*": () =>
      json({
        id: ID,
        title: "Hi",
        created_at: AT,
        updated_at: AT,
        messages: [
          { id: 1, role: "user", content: "add milk", tool_calls: [], created_at: AT },
          { id: 2, role: "assistant", content: "As you wish.", tool_calls: [call], created_at: AT },
        ],
        confirmations: [],
      }),
  });
  const { user } = renderPage(<ChatView />);
  await say(user, "add milk");
  expect(calls.find((c) => c.call === "POST /api/chat")?.body).toMatchObject({
    message: "add milk",
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  await stream.send(started);
  await waitFor(() => expect(location.search).toBe(`?c=${ID}`));
  await stream.send({ event: "tool_call", data: { id: "1", name: "add_task", arguments: {} } });
  await screen.findByText("Adding a task…");
  await stream.send({ event: "tool_result", data: { id: "1", name: "add_task", result } });
  expect(await screen.findByRole("link", { name: "Buy milk" })).toHaveAttribute(
    "href",
    `/tasks?task=${milk.id}`,
  );
  await stream.send({ event: "delta", data: { text: "As you " } });
  await screen.findByText("As you");
  expect(screen.getByRole("button", { name: "Stop the answer" })).toBeVisible();
  await stream.send(done([], [call]));
  await screen.findByRole("button", { name: "Send" });
  expect(screen.getByText("add milk")).toBeVisible();
  expect(screen.getAllByRole("link", { name: "Buy milk" })).toHaveLength(1);
});

it("keeps what is said while the answer before is still being read again", async () => {
  const [first, second] = [conversation(), conversation()];
  const answers = [first.response, second.response];
  const read = [deferred<Response>(), deferred<Response>()];
  const calls = serve({
    ...history,
    "POST /api/chat": () => answers.shift() ?? problem(500, "internal_error", "Too many."),
    "GET /api/chat/conversations/*": () =>
      read[reads() - 1]?.promise ?? problem(500, "internal_error", "Too many."),
  });
  const reads = () => calls.filter((c) => c.call.startsWith("GET /api/chat/conversations/")).length;
  const { user } = renderPage(<ChatView />);
  await say(user, "hello");
  await first.send(started);
  await first.send(done());
  await waitFor(() => expect(reads()).toBe(1));

  await say(user, "and again");
  await second.send(started);
  await second.send(done());
  await waitFor(() => expect(reads()).toBe(2));
  // What was read before the second message comes late, without it.
  const said = (...texts: string[]): Conversation => ({
    ...{ id: ID, title: "Hi", created_at: AT, updated_at: AT, confirmations: [], next_cursor: null },
    messages: texts.map((content, id) => ({ id, role: "user", content, tool_calls: [], created_at: AT })),
  });
  read[0]?.resolve(json(said("hello")));
  read[1]?.resolve(json(said("hello", "and again", "and that is all")));
  await screen.findByText("and that is all");
  expect(screen.getByText("and again")).toBeVisible();
});

it("says that an answer broke off, keeps what came, and can send the message again", async () => {
  const [cut, whole] = [conversation(), conversation()];
  const answers = [cut.response, whole.response];
  const calls = serve({
    ...history,
    "POST /api/chat": () => answers.shift() ?? Response.error(),
    "GET /api/chat/conversations/*": () =>
      json({ id: ID, title: "Hi", created_at: AT, updated_at: AT, messages: [], confirmations: [] }),
  });
  const { user } = renderPage(<ChatView />);
  await say(user, "what is open?");
  await cut.send(started);
  await cut.send({ event: "delta", data: { text: "There are" } });
  await cut.end();
  expect(await screen.findByRole("alert")).toHaveTextContent("broke off");
  expect(screen.getByText("There are")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Send again" }));
  await whole.send(started);
  await whole.send(done());
  await screen.findByText("As you wish.", { selector: "p:not([role])" });
  expect(calls.filter((c) => c.call === "POST /api/chat").map((c) => c.body)).toMatchObject([
    { message: "what is open?" },
    { message: "what is open?", conversation_id: ID },
  ]);
});

it("shows a problem that prevents the answer", async () => {
  serve({ ...history, "POST /api/chat": () => problem(429, "rate_limited", "Slow down.") });
  const { user } = renderPage(<ChatView />);
  await say(user, "hello");
  expect(await screen.findByRole("alert")).toHaveTextContent("Too many attempts");
  expect(screen.getByText("hello")).toBeVisible();
});

it("reads markup of the assistant as text, without images or HTML", async () => {
  navigation.at(`/chat?c=${ID}`);
  const content =
    "**Bold** ![x](https://evil.example/a.png) <img src=x onerror=alert(1)> [link](javascript:alert(1))";
  serve({
    ...history,
    "GET /api/chat/conversations/*": () =>
      json({
        id: ID,
        title: "Hi",
        created_at: AT,
        updated_at: AT,
        messages: [{ id: 1, role: "assistant", content, tool_calls: [], created_at: AT }],
        confirmations: [],
      }),
  });
  const { container } = renderPage(<ChatView />);
  expect((await screen.findByText("Bold")).tagName).toBe("STRONG");
  expect(container.querySelector("img")).toBeNull();
  expect(screen.getByText("link").getAttribute("href") ?? "").not.toContain("javascript");
});

it("leaves the focus with the button that stops when the answer ends by itself", async () => {
  const stream = conversation();
  serve({
    ...history,
    "POST /api/chat": () => stream.response,
    "GET /api/chat/conversations/*": () => problem(503, "database_unavailable", "Away."),
  });
  const { user } = renderPage(<ChatView />);
  await say(user, "hello");
  await stream.send(started);
  await user.tab();
  expect(screen.getByRole("button", { name: "Stop the answer" })).toHaveFocus();
  await stream.send(done());
  const button = await screen.findByRole("button", { name: "Send" });
  expect(button).toHaveFocus();
  expect(button, "a browser takes the focus from a disabled one").toBeEnabled();
});

it("shows the messages before the latest when they are asked for, in their order", async () => {
  navigation.at(`/chat?c=${ID}`);
  const said = (id: number) => ({
    ...{ id, role: "user" as const, content: `Word ${id}`, tool_calls: [], created_at: AT },
  });
  const conversation = { id: ID, title: "Hi", created_at: AT, updated_at: AT, confirmations: [] };
  const calls = serve({
    ...history,
    "GET /api/chat/conversations/*": ({ url }) =>
      json(
        url.searchParams.get("cursor") === "before-3"
          ? { ...conversation, messages: [said(1), said(2)], next_cursor: null }
          : { ...conversation, messages: [said(3), said(4)], next_cursor: "before-3" },
      ),
  });
  vi.stubGlobal("scrollBy", () => {});
  const { user } = renderPage(<ChatView />);
  await user.click(await screen.findByRole("button", { name: "Show earlier messages" }));
  await screen.findByText("Word 1");
  expect(screen.getAllByText(/^Word/).map((word) => word.textContent)).toEqual([
    ...["Word 1", "Word 2", "Word 3", "Word 4"],
  ]);
  expect(screen.queryByRole("button", { name: "Show earlier messages" })).toBeNull();
  expect(screen.getByText("Word 1").closest("li")).toHaveFocus();
  expect(calls.filter(({ call }) => call.endsWith(ID))).toHaveLength(2);
});
