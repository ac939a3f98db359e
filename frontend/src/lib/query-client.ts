import { MutationCache, onlineManager, QueryCache, QueryClient } from "@tanstack/react-query";
import { asProblem } from "@/lib/api/problem";

const MAX_RETRIES = 2;

/**
 * A query cache that tries again only where that can help: no answer, or a fault of the server.
 * `onSessionEnd` is called when the API no longer knows the session, `onOtherUser` when it is somebody else's by now.
 */
export function createQueryClient(onSessionEnd: () => void, onOtherUser: () => void): QueryClient {
  const onError = (error: unknown) => {
    const { code } = asProblem(error);
    if (code === "not_authenticated") onSessionEnd();
    if (code === "other_user") onOtherUser();
  };
  // It takes notice of changes alone; on a server there is no such thing.
  if (typeof navigator !== "undefined" && navigator.onLine === false) onlineManager.setOnline(false);
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
