import createClient from "openapi-fetch";
import { asProblem, problemFrom } from "./problem";
import type { paths } from "./schema";

/** Longest wait for an answer; the server answers within seconds, also when its database is away. */
const TIMEOUT_MS = 15_000;

/** A client whose calls, parameters and answers are typed by the API document. */
export function createApi(apiUrl: string) {
  return createClient<paths>({
    baseUrl: apiUrl || "/",
    credentials: apiUrl ? "include" : "same-origin",
    headers: { accept: "application/json" },
    // Looked up at each call, so that it can be replaced in tests.
    fetch: (request) =>
      fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]) }),
  });
}

export type Api = ReturnType<typeof createApi>;

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The data of a call; throws an ApiProblem for any other outcome. */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (error) {
    throw asProblem(error);
  }
  if (!answer.response.ok) throw problemFrom(answer.response, answer.error);
  return answer.data as T;
}
