// @vitest-environment jsdom
import { act, screen } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";
import { leave, startOver } from "@/lib/page-params";
import { deferred, json, problem, serve } from "@/test/api";
import { AT, conversation, done, history, ID, say, started } from "@/test/chat";
import { navigation } from "@/test/navigation";
import { renderPage } from "@/test/render";
import { ChatView } from "./chat-view";

beforeEach(() => navigation.at("/chat"));

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
