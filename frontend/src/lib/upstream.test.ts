import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { passOn } from "./upstream";

let server: Server | undefined;

async function backend(listener: RequestListener): Promise<URL> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const request = (path: string, init?: RequestInit) => new Request(`http://todo.localhost${path}`, init);

async function text(message: IncomingMessage) {
  let all = "";
  for await (const chunk of message) all += chunk;
  return all;
}

describe("passOn", () => {
  it("passes method, path, query, body and headers on, and says for whom", async () => {
    const seen = Promise.withResolvers<{ request: IncomingMessage; body: string }>();
    const url = await backend(async (req, res) => {
      seen.resolve({ request: req, body: await text(req) });
      res.writeHead(201, { "content-type": "application/json", location: "/api/tasks/1" }).end("{}");
    });
    const answer = await passOn(
      request("/api/tasks?q=a%20b", {
        method: "POST",
        body: '{"title":"x"}',
        headers: {
          host: "todo.localhost",
          cookie: "session=1",
          connection: "close, x-hop",
          "x-hop": "1",
          te: "trailers",
          forwarded: "for=192.0.2.1",
          "x-forwarded-for": "192.0.2.1",
          "x-real-ip": "192.0.2.1",
        },
      }),
      url,
    );
    const { request: got, body } = await seen.promise;
    expect([got.method, got.url, body]).toEqual(["POST", "/api/tasks?q=a%20b", '{"title":"x"}']);
    expect(got.headers).toMatchObject({
      cookie: "session=1",
      host: url.host,
      "x-forwarded-host": "todo.localhost",
      "x-forwarded-proto": "http",
    });
    for (const name of ["x-hop", "te", "forwarded", "x-forwarded-for", "x-real-ip"]) {
      expect(got.headers).not.toHaveProperty(name);
    }
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe("/api/tasks/1");
    expect(answer.headers.has("connection")).toBe(false);
    expect(answer.headers.has("transfer-encoding")).toBe(false);
  });

  it("keeps every cookie, and leaves redirects to the browser", async () => {
    const url = await backend((_, res) => {
      res
        .writeHead(302, { "set-cookie": ["a=1; HttpOnly", "b=2"], location: "https://elsewhere.example" })
        .end();
    });
    const answer = await passOn(request("/api/x"), url);
    expect(answer.status).toBe(302);
    expect(answer.headers.getSetCookie()).toEqual(["a=1; HttpOnly", "b=2"]);
  });

  it("streams: the first event arrives while the backend still holds the second back", async () => {
    const second = Promise.withResolvers<undefined>();
    const url = await backend(async (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: 1\n\n");
      await second.promise;
      res.end("data: 2\n\n");
    });
    const answer = await passOn(request("/api/chat"), url);
    expect(answer.headers.get("cache-control")).toContain("no-transform");
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe("data: 1\n\n");
    second.resolve(undefined);
    expect((await reader?.read())?.value).toBe("data: 2\n\n");
  });

  it("tells the backend when the browser goes away in the middle of a stream", async () => {
    const closed = Promise.withResolvers<undefined>();
    const url = await backend((_, res) => {
      res.on("close", () => closed.resolve(undefined));
      res.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
    });
    const browser = new AbortController();
    await passOn(request("/api/chat", { signal: browser.signal }), url);
    browser.abort();
    await closed.promise;
  });

  it("refuses a body above 1 MiB, announced or not, without asking the backend", async () => {
    const listener = vi.fn<RequestListener>((_, res) => res.end());
    const url = await backend(listener);
    const big = new Uint8Array(1024 * 1024 + 1);
    const announced = await passOn(
      request("/api/tasks", { method: "POST", body: "{}", headers: { "content-length": "2000000" } }),
      url,
    );
    const stream = new Blob([big]).stream();
    const streamed = await passOn(
      request("/api/tasks", { method: "POST", body: stream, duplex: "half" } as RequestInit),
      url,
    );
    for (const answer of [announced, streamed]) {
      expect(answer.status).toBe(413);
      expect(await answer.json()).toMatchObject({ code: "body_too_large" });
    }
    expect(listener).not.toHaveBeenCalled();
  });

  it("answers 502 with Retry-After when the backend is away, and logs one line", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const url = await backend(() => {});
    server?.close();
    const answer = await passOn(request("/api/tasks"), url);
    expect(answer.status).toBe(502);
    expect(answer.headers.get("retry-after")).toBe("2");
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({ status: 502, code: "backend_unreachable" });
    expect(log).toHaveBeenCalledOnce();
  });

  it("answers 504 when the backend does not begin to answer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const arrived = Promise.withResolvers<undefined>();
    const url = await backend(() => arrived.resolve(undefined));
    const answer = passOn(request("/api/tasks"), url);
    await arrived.promise;
    vi.advanceTimersByTime(30_000);
    vi.useRealTimers();
    expect(await (await answer).json()).toMatchObject({ status: 504, code: "backend_timeout" });
  });

  it("answers 404 where nothing is set to pass on to", async () => {
    const answer = await passOn(request("/api/tasks"), undefined);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: "no_backend" });
  });
});
