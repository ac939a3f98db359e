import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { asProblem } from "@/lib/api/problem";

const MAX_RETRIES = 2;

/**
 * A query cache that tries again only where that can help: no answer, or a fault of the server.
 * `onSessionEnd` is called when the API no longer knows the session.
 */
export function createQueryClient(onSessionEnd: () => void): QueryClient {
  const onError = (error: unknown) => {
    if (asProblem(error).code === "not_authenticated") onSessionEnd();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (failures, error) => {
          const { status } = asProblem(error);
          return failures < MAX_RETRIES && (status === 0 || status >= 500);
        },
        retryDelay: (attempt, error) => (asProblem(error).retryAfter ?? 2 ** attempt) * 1000,
      },
      mutations: { retry: false },
    },
  });
}
