import { type Client, createClient, createConfig } from "./generated/client";
import { ApiProblem, asProblem, problemFrom } from "./problem";

/** Longest wait for an answer; the server answers within seconds, also when its database is away. */
const TIMEOUT_MS = 15_000;

/** Where calls go, with what they all have; every generated call takes one as `client`. */
export type Api = Client;

/** The header by which a call says whom it means: another window may have logged in somebody else. */
export const meant = (userId: string): Record<string, string> => (userId ? { "X-User-Id": userId } : {});

export function createApi(apiUrl: string, userId: string): Api {
  return createClient(
    createConfig({
      baseUrl: apiUrl,
      credentials: apiUrl ? "include" : "same-origin",
      headers: { accept: "application/json", ...meant(userId) },
      // Looked up at each call, so that it can be replaced in tests.
      fetch: (input, init) => {
        const given = init?.signal ?? (input instanceof Request ? input.signal : undefined);
        const timeout = AbortSignal.timeout(TIMEOUT_MS);
        return fetch(input, { ...init, signal: given ? AbortSignal.any([given, timeout]) : timeout });
      },
    }),
  );
}

type Answer<T> = { data?: T; error?: unknown; response?: Response };

/** The data of a call; throws an ApiProblem for any other outcome. */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response) throw asProblem(error);
  // An answer that cannot be read, or whose reading broke off, is none.
  if (response.ok && error !== undefined) throw new ApiProblem(0, {});
  if (!response.ok) throw problemFrom(response, error);
  return data as T;
}
