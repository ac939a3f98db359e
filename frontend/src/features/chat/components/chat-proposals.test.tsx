// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";
import type { Confirmation } from "@/lib/api/types";
import { deferred, json, serve } from "@/test/api";
import { AT, conversation, deletion, done, history, ID, proposal, propose } from "@/test/chat";
import { navigation } from "@/test/navigation";
import { renderPage } from "@/test/render";
import { ChatView } from "./chat-view";

beforeEach(() => navigation.at("/chat"));

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
