import { backendUrl, ConfigError, publicApiUrl } from "./config";

/** Ends the process with exit status 1 when a setting cannot be used. */
export function stopOnBadSettings(): void {
  try {
    publicApiUrl();
    backendUrl();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
