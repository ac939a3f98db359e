import { vi } from "vitest";
import type { Task, TaskPage } from "@/lib/api/types";

export type Handler = (request: {
  url: URL;
  body: unknown;
  headers: Headers;
  signal: AbortSignal;
}) => Response | Promise<Response>;

export const json = (body: unknown, status = 200) => Response.json(body, { status });

export const problem = (status: number, code: string, detail: string, extra: object = {}) =>
  new Response(JSON.stringify({ type: "about:blank", title: "Problem", status, detail, code, ...extra }), {
    status,
    headers: { "content-type": "application/problem+json" },
  });

export const page = (items: Task[], next_cursor: string | null = null): TaskPage => ({
  items,
  next_cursor,
  total: items.length,
});

let lastId = 0;

/** A task as the API returns it. */
export function task(changes: Partial<Task> = {}): Task {
  const id = `00000000-0000-4000-8000-${String(++lastId).padStart(12, "0")}`;
  const at = "2026-11-22T09:00:00Z";
  return {
    id,
    title: `Task ${lastId}`,
    description: "",
    completed: false,
    completed_at: null,
    priority: "medium",
    due_at: null,
    due_on: null,
    due_zone: null,
    tags: [],
    created_at: at,
    updated_at: at,
    version: 1,
    ...changes,
  };
}

/**
 * Puts an API behind fetch. Keys are "METHOD /path" with `*` for one part of the path. A call that no
 * handler knows fails the test. Returns the calls, for assertions.
 */
export function serve(handlers: Record<string, Handler>) {
  const calls: { call: string; url: URL; body: unknown; headers: Headers }[] = [];
  const find = (call: string) => {
    const key = Object.keys(handlers).find((pattern) =>
      new RegExp(`^${pattern.replaceAll("*", "[^/]+")}$`).test(call),
    );
    return key && handlers[key];
  };
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    const request = input instanceof Request ? input : new Request(new URL(input, location.href), init);
    const url = new URL(request.url, location.href);
    const call = `${request.method} ${url.pathname}`;
    const text = await request.text();
    const isJson = request.headers.get("content-type")?.includes("json");
    const body = text && isJson ? JSON.parse(text) : text || undefined;
    calls.push({ call, url, body, headers: request.headers });
    const handler = find(call);
    if (!handler) throw new Error(`the test serves no ${call}`);
    return handler({ url, body, headers: request.headers, signal: init?.signal ?? request.signal });
  });
  return calls;
}

/** A promise and its switches, for an answer that comes when the test says so. */
export const deferred = <T>() => Promise.withResolvers<T>();
