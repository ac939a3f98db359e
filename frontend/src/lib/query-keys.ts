/**
 * Where each feature keeps what it has read. The factories of queries build on these roots; another feature names
 * one to say that what is kept there may have changed.
 */
export const ROOTS = { lists: ["tasks"], task: ["task"], trash: ["trash"], chat: ["chat"] } as const;
