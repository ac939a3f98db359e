import type { ChatEvent, Confirmation, ToolCall } from "@/lib/api/types";

/** A tool call that may still be running. */
export type LiveCall = Omit<ToolCall, "result"> & { result?: ToolCall["result"] };

/** Text of the assistant and the tools that it called after it; an answer is a list of these. */
export type Turn = { content: string; tool_calls: LiveCall[] };

/** An answer that is being streamed. */
export type Reply = {
  conversationId?: string;
  turns: Turn[];
  confirmations: Confirmation[];
};

export const EMPTY_REPLY: Reply = { turns: [], confirmations: [] };

/** The answer after one more event. */
export function applyEvent(reply: Reply, event: ChatEvent): Reply {
  switch (event.event) {
    case "conversation":
      return { ...reply, conversationId: event.data.conversation_id };
    case "delta":
      return { ...reply, turns: withText(reply.turns, event.data.text) };
    case "tool_call":
      return { ...reply, turns: withCall(reply.turns, event.data) };
    case "tool_result":
      return { ...reply, turns: withResult(reply.turns, event.data.id, event.data.result) };
    case "confirmation":
      return { ...reply, confirmations: [...reply.confirmations, event.data] };
    default:
      return reply;
  }
}

function withText(turns: Turn[], text: string): Turn[] {
  const last = turns.at(-1);
  if (!last || last.tool_calls.length > 0) return [...turns, { content: text, tool_calls: [] }];
  return [...turns.slice(0, -1), { ...last, content: last.content + text }];
}

function withCall(turns: Turn[], call: LiveCall): Turn[] {
  const last = turns.at(-1);
  // A turn whose tools have all run is over: this call begins the next one.
  if (!last || (last.tool_calls.length > 0 && last.tool_calls.every((other) => other.result))) {
    return [...turns, { content: "", tool_calls: [call] }];
  }
  return [...turns.slice(0, -1), { ...last, tool_calls: [...last.tool_calls, call] }];
}

function withResult(turns: Turn[], id: string, result: ToolCall["result"]): Turn[] {
  return turns.map((turn) => ({
    ...turn,
    tool_calls: turn.tool_calls.map((call) => (call.id === id && !call.result ? { ...call, result } : call)),
  }));
}
