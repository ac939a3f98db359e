import type { QueryClient } from "@tanstack/react-query";
import { taskQueries } from "./queries";

/** With several changes on their way only the last one fetches: an older answer must not undo a newer change. */
export function refetchWhenQuiet(client: QueryClient) {
  if (client.isMutating({ mutationKey: taskQueries.lists() }) === 1)
    return client.invalidateQueries({ queryKey: taskQueries.lists() });
}
