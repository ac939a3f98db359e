import { screen } from "@testing-library/react";
import type { ChatEvent, Confirmation, Conversation, ToolResult } from "@/lib/api/types";
import { json, task } from "./api";
import type { renderPage } from "./render";

export const ID = "c0000000-0000-4000-8000-000000000001";
export const AT = "2026-11-22T09:00:00Z";
export const milk = task({ title: "Buy milk" });
export const result: ToolResult = {
  status: "ok",
  detail: "",
  tasks: [milk],
  total: null,
  confirmation_id: null,
  code: null,
};
export const proposal: Confirmation = {
  id: "f0000000-0000-4000-8000-000000000001",
  action: "delete_task",
  task_id: milk.id,
  task_title: milk.title,
  status: "pending",
  expires_at: "2999-01-01T00:00:00Z",
};
export const deletion = {
  id: "1",
  name: "delete_task",
  arguments: {},
  result: { ...result, status: "confirmation_required", confirmation_id: proposal.id } satisfies ToolResult,
};
export const started: ChatEvent = {
  event: "conversation",
  data: { conversation_id: ID, title: "Hi", assistant: "offline" },
};
export const done = (
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
export function conversation() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const response = new Response(readable, { headers: { "content-type": "text/event-stream" } });
  const send = ({ event, data }: ChatEvent) =>
    writer.write(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  return { response, send, end: () => writer.close() };
}

export const history = {
  "GET /api/chat/conversations": () => json({ items: [], next_cursor: null, assistant: "openai" }),
};

export async function say(user: ReturnType<typeof renderPage>["user"], text: string) {
  await user.type(screen.getByLabelText("Message to the assistant"), `${text}{Enter}`);
}

/** Asks for a deletion, and has the assistant propose it in an answer that is still coming. */
export async function propose(
  user: ReturnType<typeof renderPage>["user"],
  stream: ReturnType<typeof conversation>,
) {
  await say(user, "delete milk");
  await stream.send(started);
  await stream.send({ event: "tool_call", data: deletion });
  await stream.send({ event: "tool_result", data: deletion });
  await stream.send({ event: "confirmation", data: proposal });
}
