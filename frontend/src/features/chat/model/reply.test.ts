import { expect, it } from "vitest";
import type { ChatEvent, ToolResult } from "@/lib/api/types";
import { applyEvent, EMPTY_REPLY } from "./reply";

const OK: ToolResult = {
  status: "ok",
  detail: "",
  tasks: [],
  total: null,
  confirmation_id: null,
  code: null,
};
const delta = (text: string): ChatEvent => ({ event: "delta", data: { text } });
const call = (id: string): ChatEvent => ({
  event: "tool_call",
  data: { id, name: "add_task", arguments: {} },
});
const result = (id: string): ChatEvent => ({
  event: "tool_result",
  data: { id, name: "add_task", result: OK },
});
const reply = (...events: ChatEvent[]) => events.reduce(applyEvent, EMPTY_REPLY);

it("puts text together, and begins a new turn for text after tools", () => {
  const { turns } = reply(delta("Let "), delta("me"), call("1"), result("1"), delta("Done."));
  expect(turns.map((turn) => turn.content)).toEqual(["Let me", "Done."]);
  expect(turns[0]?.tool_calls).toMatchObject([{ id: "1", result: OK }]);
});

it("keeps parallel calls in one turn and gives each its own result", () => {
  const { turns } = reply(call("1"), call("2"), result("2"));
  expect(turns).toHaveLength(1);
  expect(turns[0]?.tool_calls.map((c) => Boolean(c.result))).toEqual([false, true]);
});

it("does not overwrite the result of an earlier call when a model uses an id twice", () => {
  const { turns } = reply(call("1"), result("1"), call("1"));
  expect(turns.map((turn) => turn.tool_calls.map((c) => Boolean(c.result)))).toEqual([[true], [false]]);
});

it("knows the conversation", () => {
  const started: ChatEvent = {
    event: "conversation",
    data: { conversation_id: "c1", title: "Hi", assistant: "offline" },
  };
  expect(reply(started)).toMatchObject({ conversationId: "c1" });
});
