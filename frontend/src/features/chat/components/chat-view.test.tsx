// @vitest-environment jsdom
import { act, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ChatEvent, Confirmation, Conversation, ToolResult } from "@/lib/api/types";
import { leave, startOver } from "@/lib/page-params";
import { deferred, json, problem, serve, task } from "@/test/api";
import { navigation } from "@/test/navigation";
import { renderPage } from "@/test/render";
import { ChatView } from "./chat-view";

const ID = "c0000000-0000-4000-8000-000000000001";
const AT = "2026-11-22T09:00:00Z";
const milk = task({ title: "Buy milk" });
const result: ToolResult = {
  status: "ok",
  detail: "",
  tasks: [milk],
  total: null,
  confirmation_id: null,
  code: null,
};
const proposal: Confirmation = {
  id: "f0000000-0000-4000-8000-000000000001",
  action: "delete_task",
  task_id: milk.id,
  task_title: milk.title,
  status: "pending",
  expires_at: "2999-01-01T00:00:00Z",
};
const deletion = {
  id: "1",
  name: "delete_task",
  arguments: {},
  result: { ...result, status: "confirmation_required", confirmation_id: proposal.id } satisfies ToolResult,
};
const started: ChatEvent = {
  event: "conversation",
  data: { conversation_id: ID, title: "Hi", assistant: "offline" },
};
const done = (
  confirmations: Confirmation[] = [],
  calls: Conversation["messages"][0]["tool_calls"] = [],
): ChatEvent => ({
  event: "done",
  data: {
    conversation_id: ID,
    assistant: "offline",
    messages: [{ id: 2, role: "assistant", content: "As you wish.", tool_calls: calls, created_at: AT }],
    confirmations,
  },
});

/** A stream that a test writes event by event. */
function conversation() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const response = new Response(readable, { headers: { "content-type": "text/event-stream" } });
  const send = ({ event, data }: ChatEvent) =>
    writer.write(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  return { response, send, end: () => writer.close() };
}

const history = {
  "GET /api/chat/conversations": () => json({ items: [], next_cursor: null, assistant: "openai" }),
};

async function say(user: ReturnType<typeof renderPage>["user"], text: string) {
  await user.type(screen.getByLabelText("Message to the assistant"), `${text}{Enter}`);
}

/** Asks for a deletion, and has the assistant propose it in an answer that is still coming. */
async function propose(user: ReturnType<typeof renderPage>["user"], stream: ReturnType<typeof conversation>) {
  await say(user, "delete milk");
  await stream.send(started);
  await stream.send({ event: "tool_call", data: deletion });
  await stream.send({ event: "tool_result", data: deletion });
  await stream.send({ event: "confirmation", data: proposal });
}

beforeEach(() => navigation.at("/chat"));

describe("ChatView", () => {
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

  it("deletes only after a click, and shows what became of the proposal", async () => {
    const stream = conversation();
    const answer = done([proposal], [deletion]);
    let stored: Confirmation = proposal;
    const calls = serve({
      ...history,
      "POST /api/chat": () => stream.response,
      "POST /api/chat/confirmations/*": () => {
        stored = { ...proposal, status: "confirmed" };
        return json(stored);
      },
      "GET /api/chat/conversations/*": () =>
        json({
          id: ID,
          title: "Hi",
          created_at: AT,
          updated_at: AT,
          messages: [{ id: 2, role: "assistant", content: "", tool_calls: [deletion], created_at: AT }],
          confirmations: [stored],
        }),
    });
    const { user } = renderPage(<ChatView />);
    await propose(user, stream);
    await stream.send(answer);
    const confirmed = () => calls.filter((c) => c.call.startsWith("POST /api/chat/confirmations"));
    await screen.findByRole("button", { name: "Send" });
    const button = screen.getByRole("button", { name: "Delete" });
    expect(confirmed()).toEqual([]);
    await user.click(button);
    const outcome = await screen.findByText("Deleted “Buy milk”");
    await waitFor(() => expect(outcome.parentElement).toHaveFocus());
    expect(screen.queryByRole("button", { name: "Delete" })).toBeNull();
    expect(confirmed().map((c) => c.url.pathname)).toEqual([`/api/chat/confirmations/${proposal.id}`]);
  });

  it("keeps what became of a proposal, and the focus, when it is confirmed while the answer still comes", async () => {
    const stream = conversation();
    const stored = deferred<Response>();
    serve({
      ...history,
      "POST /api/chat": () => stream.response,
      "POST /api/chat/confirmations/*": () => json({ ...proposal, status: "confirmed" }),
      "GET /api/chat/conversations/*": () => stored.promise,
    });
    const { user } = renderPage(<ChatView />);
    await propose(user, stream);
    await user.click(await screen.findByRole("button", { name: "Delete" }));
    const outcome = await screen.findByText("Deleted “Buy milk”");
    await waitFor(() => expect(outcome.parentElement).toHaveFocus());
    expect(screen.getByRole("button", { name: "Stop the answer" })).toBeVisible();

    await stream.send(done([proposal], [deletion]));
    await screen.findByRole("button", { name: "Send" });
    expect(screen.getByText("Deleted “Buy milk”")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Delete" })).toBeNull();
    expect(outcome.parentElement).toHaveFocus();
  });

  it("leaves the focus with a proposal's button when the answer ends", async () => {
    const stream = conversation();
    const stored = deferred<Response>();
    serve({
      ...history,
      "POST /api/chat": () => stream.response,
      "GET /api/chat/conversations/*": () => stored.promise,
    });
    const { user } = renderPage(<ChatView />);
    await propose(user, stream);
    await screen.findByRole("button", { name: "Keep it" });
    await user.tab({ shift: true });
    expect(screen.getByRole("button", { name: "Keep it" })).toHaveFocus();

    await stream.send(done([proposal], [deletion]));
    await screen.findByRole("button", { name: "Send" });
    expect(screen.getByRole("button", { name: "Keep it" })).toHaveFocus();
  });

  it("shows the first answer, with the focus in it, however late the router takes over the address", async () => {
    const stream = conversation();
    serve({
      ...history,
      "POST /api/chat": () => stream.response,
      "GET /api/chat/conversations/*": () => deferred<Response>().promise,
    });
    const catchUp = navigation.hold();
    const { user } = renderPage(<ChatView />);
    await propose(user, stream);
    const messages = (await screen.findByRole("button", { name: "Keep it" })).closest("ol");
    await user.tab({ shift: true });
    expect(screen.getByRole("button", { name: "Keep it" })).toHaveFocus();
    expect(location.search).toBe(`?c=${ID}`);

    await stream.send(done([proposal], [deletion]));
    await screen.findByRole("button", { name: "Send" });
    expect(messages).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Keep it" })).toHaveFocus();
    await catchUp();
    expect(messages).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Keep it" })).toHaveFocus();
  });

  it("begins a new conversation at once, and keeps to it while the router still arrives at the one before", async () => {
    const streams = [conversation(), conversation()];
    const calls = serve({
      ...history,
      "POST /api/chat": () => streams[asked() - 1]?.response ?? Response.error(),
      "GET /api/chat/conversations/*": () => deferred<Response>().promise,
    });
    const asked = () => calls.filter((c) => c.call === "POST /api/chat").length;
    const catchUp = navigation.hold();
    const { user } = renderPage(<ChatView />);
    await say(user, "hello");
    await streams[0]?.send(started);
    await streams[0]?.send(done());
    await screen.findByRole("button", { name: "Send" });
    await user.keyboard("{Escape}n");
    expect(screen.getByText("What shall we get done?")).toBeVisible();
    await say(user, "and now to something else");
    await catchUp();
    expect(screen.getByText("and now to something else")).toBeVisible();
    expect(screen.queryByText("hello")).toBeNull();
    expect(calls.filter((c) => c.call === "POST /api/chat")[1]?.body).not.toHaveProperty("conversation_id");
  });

  it("leaves the address alone while another page is on its way, which the router would give up", async () => {
    const stream = conversation();
    serve({ ...history, "POST /api/chat": () => stream.response });
    const { user } = renderPage(<ChatView />);
    await say(user, "hello");
    leave("/tasks");
    await stream.send(started);
    await stream.send({ event: "delta", data: { text: "As you wish." } });
    await screen.findByText("As you wish.");
    expect(location.pathname + location.search).toBe("/chat");
  });

  it("follows Back to another conversation", async () => {
    navigation.at(`/chat?c=${ID}`);
    serve({
      ...history,
      "GET /api/chat/conversations/*": () =>
        json({
          id: ID,
          title: "Hi",
          created_at: AT,
          updated_at: AT,
          messages: [{ id: 1, role: "user", content: "add milk", tool_calls: [], created_at: AT }],
          confirmations: [],
        }),
    });
    renderPage(<ChatView />);
    await screen.findByText("add milk");
    act(() => startOver());
    expect(screen.getByText("What shall we get done?")).toBeVisible();
    act(() => window.history.back());
    await screen.findByText("add milk");
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

  it("begins a new conversation with n and is written to after /", async () => {
    navigation.at(`/chat?c=${ID}`);
    serve({
      ...history,
      "GET /api/chat/conversations/*": () =>
        json({ id: ID, title: "Hi", created_at: AT, updated_at: AT, messages: [], confirmations: [] }),
    });
    const { user } = renderPage(<ChatView />);
    await user.keyboard("/n/{Escape}");
    expect(screen.getByLabelText("Message to the assistant")).toHaveValue("n/");
    expect(location.search).toBe(`?c=${ID}`);
    await user.keyboard("n");
    expect(location.search).toBe("");
    expect(screen.getByLabelText("Message to the assistant")).toHaveFocus();
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

  it("says when a conversation is gone", async () => {
    navigation.at(`/chat?c=${ID}`);
    serve({
      ...history,
      "GET /api/chat/conversations/*": () => problem(404, "conversation_not_found", "None."),
    });
    const { user } = renderPage(<ChatView />);
    await screen.findByText("This conversation is gone.");
    await user.click(screen.getByRole("button", { name: "Start a new one" }));
    expect(location.search).toBe("");
  });
});
