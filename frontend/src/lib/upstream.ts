/**
 * Passes a request for /api on to the backend, for the set-ups without an ingress (compose, port-forward).
 * Bodies of requests are bounded and read whole; responses are streamed as they come.
 */

const MAX_BODY_BYTES = 1024 * 1024;
const RESPONSE_HEADERS_TIMEOUT_MS = 30_000;

/** Headers that belong to one connection (RFC 9110 §7.6.1), or that the HTTP client sets itself. */
const NOT_PASSED_ON = [
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** What a client says of its own address. Nobody who knows stands before this server, and the API would believe it. */
const CLIENT_ADDRESS = ["forwarded", "x-forwarded-for", "x-real-ip"];

function problem(status: number, code: string, title: string, detail: string): Response {
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
  if (status === 502 || status === 503 || status === 504) headers.set("retry-after", "2");
  return new Response(JSON.stringify({ type: "about:blank", title, status, detail, code }), {
    status,
    headers,
  });
}

function withoutHopByHop(source: Headers): Headers {
  const headers = new Headers(source);
  const named = headers.get("connection")?.split(",") ?? [];
  for (const name of [...NOT_PASSED_ON, ...named.map((n) => n.trim().toLowerCase())]) {
    if (name) headers.delete(name);
  }
  return headers;
}

function requestHeaders(request: Request): Headers {
  const headers = withoutHopByHop(request.headers);
  const url = new URL(request.url);
  for (const name of CLIENT_ADDRESS) headers.delete(name);
  // The body is handed on as it comes: nothing to decompress here, nothing to compress twice.
  headers.set("accept-encoding", "identity");
  headers.set("x-forwarded-host", request.headers.get("host") ?? url.host);
  if (!headers.has("x-forwarded-proto")) headers.set("x-forwarded-proto", url.protocol.replace(":", ""));
  return headers;
}

/** Reads a body of at most {@link MAX_BODY_BYTES}; null when it is larger. */
async function boundedBody(request: Request): Promise<ArrayBuffer | undefined | null> {
  if (!request.body) return undefined;
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) return null;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of request.body as ReadableStream<Uint8Array<ArrayBuffer>>) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return new Blob(chunks).arrayBuffer();
}

/**
 * Sends `request` to the same path at `backend` and returns its answer, or an RFC 9457 problem: 404 when
 * there is no backend to pass on to, 413 for too large a body, 502 when the backend cannot be reached and
 * 504 when it does not begin to answer in time.
 */
export async function passOn(request: Request, backend: URL | undefined): Promise<Response> {
  if (!backend) {
    return problem(
      404,
      "no_backend",
      "Not found",
      "This server does not pass API calls on: BACKEND_URL is not set.",
    );
  }
  const body = await boundedBody(request);
  if (body === null) {
    return problem(413, "body_too_large", "Content too large", "The request body may be at most 1 MiB.");
  }

  const { pathname, search } = new URL(request.url);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), RESPONSE_HEADERS_TIMEOUT_MS);
  try {
    const answer = await fetch(new URL(pathname + search, backend), {
      method: request.method,
      headers: requestHeaders(request),
      body,
      redirect: "manual",
      cache: "no-store",
      signal: AbortSignal.any([request.signal, deadline.signal]),
    });
    const headers = withoutHopByHop(answer.headers);
    // Compression would hold events of a stream back until a buffer is full.
    if (headers.get("content-type")?.startsWith("text/event-stream")) {
      headers.set("cache-control", "no-cache, no-transform");
    }
    return new Response(answer.body, { status: answer.status, headers });
  } catch (error) {
    if (request.signal.aborted) return new Response(null, { status: 499 });
    if (deadline.signal.aborted) {
      return problem(504, "backend_timeout", "Gateway timeout", "The backend did not answer in time.");
    }
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    console.error("backend cannot be reached: %s %s: %s", request.method, pathname, cause);
    return problem(502, "backend_unreachable", "Bad gateway", "The backend cannot be reached at the moment.");
  } finally {
    clearTimeout(timer);
  }
}
