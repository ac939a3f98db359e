import { EventSourceParserStream } from "eventsource-parser/stream";
import { meant } from "@/lib/api/client";
import { ApiProblem, asProblem, problemFrom } from "@/lib/api/problem";
import type { ChatEvent, ChatRequest } from "@/lib/api/types";
import type { Runtime } from "@/lib/runtime";

/** Longest silence in a stream; an answer as a whole may take 90 seconds. */
const IDLE_TIMEOUT_MS = 95_000;
const MAX_EVENT_CHARS = 1_000_000;

const KNOWN: ReadonlySet<string> = new Set<ChatEvent["event"]>([
  "conversation",
  "delta",
  "tool_call",
  "tool_result",
  "confirmation",
  "done",
  "error",
]);

/** The events in a body of Server-Sent Events, however it is cut into chunks. Unknown ones are left out. */
export async function* readEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<ChatEvent> {
  const events = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: MAX_EVENT_CHARS }));
  const reader = events.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const { event, data } = next.value;
      if (event && KNOWN.has(event)) yield { event, data: JSON.parse(data) } as ChatEvent;
    }
  } finally {
    // Also when the consumer stops early: the server then stops, too.
    await reader.cancel().catch(() => {});
  }
}

/** An abort signal that fires `ms` after the last call of `renew`. */
function idleSignal(ms: number): { signal: AbortSignal; renew: () => void; stop: () => void } {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout>;
  const renew = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(), ms);
  };
  renew();
  return { signal: controller.signal, renew, stop: () => clearTimeout(timer) };
}

/**
 * Sends a message to the assistant and yields its answer as it comes. The last event is `done`.
 * Throws an ApiProblem when the answer cannot begin, breaks off ("stream_cut"), or ends with an error;
 * what was done until then stays done. Aborting `signal` ends it with "stopped".
 */
export async function* streamChat(
  { apiUrl, userId }: Pick<Runtime, "apiUrl" | "userId">,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const idle = idleSignal(IDLE_TIMEOUT_MS);
  try {
    const response = await fetch(`${apiUrl}/api/chat`, {
      method: "POST",
      headers: { accept: "text/event-stream", "content-type": "application/json", ...meant(userId) },
      body: JSON.stringify(request),
      credentials: apiUrl ? "include" : "same-origin",
      signal: AbortSignal.any([signal, idle.signal]),
    });
    if (!response.ok || !response.body) {
      throw problemFrom(response, await response.json().catch(() => undefined));
    }
    for await (const event of readEvents(response.body)) {
      idle.renew();
      if (event.event === "error") throw new ApiProblem(event.data.status, event.data);
      yield event;
      if (event.event === "done") return;
    }
    throw cut();
  } catch (error) {
    if (signal.aborted) throw new ApiProblem(0, { code: "stopped" });
    if (error instanceof ApiProblem) throw error;
    // fetch fails with a TypeError before the answer has begun and, in some browsers, within it.
    throw error instanceof SyntaxError || idle.signal.aborted ? cut() : asProblem(error);
  } finally {
    idle.stop();
  }
}

const cut = () => new ApiProblem(0, { code: "stream_cut" });
