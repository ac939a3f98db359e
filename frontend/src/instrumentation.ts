import type { Instrumentation } from "next";

/** Checks the settings once at start-up, so that a wrong one stops the process with one clear line. */
export async function register() {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { stopOnBadSettings } = await import("@/lib/check-settings");
    stopOnBadSettings();
  }
}

/** Adds what Next's own line about a failed request lacks: which request it was. */
export const onRequestError: Instrumentation.onRequestError = (_error, request, context) => {
  console.error("request failed: %s %s (%s)", request.method, request.path.split("?")[0], context.routeType);
};
