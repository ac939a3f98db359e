import type { Conversation } from "@/lib/api/types";

/** A conversation as far as it was read: the latest messages, and `before` them those that were asked for. */
export type LoadedConversation = Conversation & { before?: number };

/** The latest messages, read anew, after what there is already of those before them, if nothing is missing between. */
export function joined(old: LoadedConversation | undefined, latest: Conversation): LoadedConversation {
  const first = latest.messages[0]?.id;
  const at = old?.messages.findIndex(({ id }) => id === first) ?? -1;
  if (!old || at < 1) return latest;
  const { next_cursor, before } = old;
  return { ...latest, messages: [...old.messages.slice(0, at), ...latest.messages], next_cursor, before };
}

/** What there is, with a page of the messages before. */
export function withEarlier(old: LoadedConversation, page: Conversation): LoadedConversation {
  return {
    ...old,
    messages: [...page.messages, ...old.messages],
    next_cursor: page.next_cursor,
    before: (old.before ?? 0) + page.messages.length,
  };
}
