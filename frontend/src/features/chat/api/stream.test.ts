import { describe, expect, it, vi } from "vitest";
import type { ChatEvent } from "@/lib/api/types";
import { readEvents, streamChat } from "./stream";

const encode = (text: string) => new TextEncoder().encode(text);

function body(...chunks: Uint8Array<ArrayBuffer>[]) {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const event of events) result.push(event);
  return result;
}

const STREAM =
  'event: delta\ndata: {"text":"Grüße 👋"}\n\n: a comment\n\nevent: later-version\ndata: {}\n\n' +
  'event: delta\r\ndata: {"text":\r\ndata: "two lines"}\r\n\r\nevent: done\ndata: {"messages":[]}\n\n';
const EVENTS = [
  { event: "delta", data: { text: "Grüße 👋" } },
  { event: "delta", data: { text: "two lines" } },
  { event: "done", data: { messages: [] } },
];

describe("readEvents", () => {
  it("reads the same events wherever the stream is cut, inside characters too", async () => {
    const bytes = encode(STREAM);
    for (let at = 0; at <= bytes.length; at++) {
      expect(await all(readEvents(body(bytes.slice(0, at), bytes.slice(at))))).toEqual(EVENTS);
    }
    expect(await all(readEvents(body(...Array.from(bytes, (byte) => Uint8Array.of(byte)))))).toEqual(EVENTS);
  });

  it("leaves out an event that was not completed", async () => {
    expect(await all(readEvents(body(encode('event: delta\ndata: {"text":"x"}'))))).toEqual([]);
  });

  it("cancels the stream when the reader stops early", async () => {
    const cancel = vi.fn();
    const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.enqueue(encode(STREAM)),
      cancel,
    });
    for await (const event of readEvents(source)) {
      expect(event).toEqual(EVENTS[0]);
      break;
    }
    expect(cancel).toHaveBeenCalled();
  });
});

describe("streamChat", () => {
  const chat = (answer: () => Promise<Response>, signal = new AbortController().signal) => {
    const fetched = vi.fn(answer);
    vi.stubGlobal("fetch", fetched);
    return {
      fetched,
      events: streamChat({ apiUrl: "https://api.example.com", userId: "ada" }, { message: "hi" }, signal),
    };
  };

  it("asks for a stream and ends with done", async () => {
    const { fetched, events } = chat(async () => new Response(STREAM));
    expect(await all(events)).toEqual(EVENTS);
    expect(fetched).toHaveBeenCalledWith(
      "https://api.example.com/api/chat",
      expect.objectContaining({
        method: "POST",
        credentials: "include",
        headers: expect.objectContaining({ accept: "text/event-stream" }),
      }),
    );
  });

  it("yields what came before an error event, then throws its problem", async () => {
    const failing =
      'event: delta\ndata: {"text":"x"}\n\nevent: error\ndata: {"status":502,"code":"assistant_unavailable","detail":"The assistant is away."}\n\n';
    const { events } = chat(async () => new Response(failing));
    const got: ChatEvent[] = [];
    await expect(async () => {
      for await (const event of events) got.push(event);
    }).rejects.toMatchObject({ code: "assistant_unavailable", message: "The assistant is away." });
    expect(got).toHaveLength(1);
  });

  it.each([
    ["ends without done", 'event: delta\ndata: {"text":"x"}\n\n'],
    ["carries broken JSON", "event: delta\ndata: {\n\n"],
  ])("says that the answer broke off when the stream %s", async (_, text) => {
    const { events } = chat(async () => new Response(text));
    await expect(all(events)).rejects.toMatchObject({ code: "stream_cut" });
  });

  it("throws the problem of an answer that did not begin", async () => {
    const { events } = chat(async () => Response.json({ code: "rate_limited" }, { status: 429 }));
    await expect(all(events)).rejects.toMatchObject({ status: 429, code: "rate_limited" });
  });

  it("throws network when the server cannot be reached, and stopped when the user stopped", async () => {
    const away = chat(() => Promise.reject(new TypeError("Failed to fetch")));
    await expect(all(away.events)).rejects.toMatchObject({ code: "network" });
    const abort = new AbortController();
    abort.abort();
    const stopped = chat(() => Promise.reject(new DOMException("aborted", "AbortError")), abort.signal);
    await expect(all(stopped.events)).rejects.toMatchObject({ code: "stopped" });
  });
});
