import { expect, it } from "vitest";
import type { Conversation } from "@/lib/api/types";
import { joined, withEarlier } from "./history";

const at = "2026-11-22T09:00:00Z";
const said = (from: number, to: number, next_cursor: string | null = "earlier"): Conversation => ({
  ...{ id: "c", title: "Hi", created_at: at, updated_at: at, confirmations: [], next_cursor },
  messages: Array.from({ length: to - from + 1 }, (_, i) => ({
    ...{ id: from + i, role: "user", content: "Hi", tool_calls: [], created_at: at },
  })),
});
const ids = ({ messages }: Conversation) => messages.map(({ id }) => id);

it("what was read of the messages before stays when the latest are read again", () => {
  const loaded = withEarlier(said(3, 4), said(1, 2, null));
  expect(ids(loaded)).toEqual([1, 2, 3, 4]);
  const again = joined(loaded, said(4, 5));
  expect(ids(again)).toEqual([1, 2, 3, 4, 5]);
  expect(again).toMatchObject({ next_cursor: null, before: 2 });
});

it("a conversation has no gap: where messages between are missing, it begins with the latest", () => {
  const again = joined(said(1, 2, null), said(5, 6));
  expect(ids(again)).toEqual([5, 6]);
  expect(again.next_cursor).toBe("earlier");
  expect(joined(undefined, said(5, 6))).toEqual(said(5, 6));
});
