/** One fault of one field, from the `errors` of a problem document. */
export type FieldFault = { field: string; message: string; code?: string };

type ProblemBody = {
  title?: string;
  status?: number;
  detail?: string | null;
  code?: string;
  errors?: FieldFault[] | null;
  current?: unknown;
  request_id?: string | null;
};

/**
 * A call to the API that failed. `message` is a sentence for the user; `code` is stable and meant for
 * programs ("network" when no answer came at all, status 0).
 */
export class ApiProblem extends Error {
  override name = "ApiProblem";
  readonly status: number;
  readonly code: string;
  readonly faults: FieldFault[];
  /** What is there now, where the call did not expect it. */
  readonly current: unknown;
  readonly requestId: string | undefined;
  /** Seconds the server asks to wait before the next try. */
  readonly retryAfter: number | undefined;

  constructor(status: number, body: ProblemBody, retryAfter?: number) {
    super(sentence(status, body, retryAfter));
    this.status = status;
    this.code = body.code ?? (status === 0 ? "network" : `http_${status}`);
    this.faults = body.errors ?? [];
    this.current = body.current;
    this.requestId = body.request_id ?? undefined;
    this.retryAfter = retryAfter;
  }

  /** The message for one field of a form, if the server found fault with it. */
  fieldMessage(field: string): string | undefined {
    return this.faults.find((fault) => fault.field === field)?.message;
  }
}

function sentence(status: number, body: ProblemBody, retryAfter: number | undefined): string {
  if (body.code === "stopped") return "Stopped. What was done until then is kept.";
  if (body.code === "stream_cut") return "The answer broke off. What was done until then is kept.";
  if (body.code?.startsWith("assistant_") && body.detail) return body.detail;
  if (status === 0) return "The server cannot be reached. Check your connection and try again.";
  if (status === 429) {
    const wait = retryAfter
      ? ` Try again in ${retryAfter} second${retryAfter === 1 ? "" : "s"}.`
      : " Try again soon.";
    return `Too many attempts.${wait}`;
  }
  if (status >= 500) return "The service is not available at the moment. Try again in a few seconds.";
  return body.detail || body.title || `The request failed (${status}).`;
}

/** Builds the problem for an answer that is not 2xx; a body that is no problem document is ignored. */
export function problemFrom(response: Response, body: unknown): ApiProblem {
  const retryAfter = Number(response.headers.get("retry-after"));
  const document = typeof body === "object" && body !== null ? (body as ProblemBody) : {};
  return new ApiProblem(response.status, document, retryAfter > 0 ? retryAfter : undefined);
}

/** Turns whatever was thrown into a problem: no answer from the network becomes status 0. */
export function asProblem(error: unknown): ApiProblem {
  return error instanceof ApiProblem ? error : new ApiProblem(0, {});
}
