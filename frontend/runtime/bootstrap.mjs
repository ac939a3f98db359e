// Loaded before Next's server (node --import): one JSON object a line on stdout for everything that is
// logged, and an orderly end on SIGTERM. Next drains the connections itself; two things are added here:
// a limit for the drain, and exit status 0, since stopping on request is no failure.
import { format } from "node:util";

const DRAIN_LIMIT_MS = 20_000;
const LEVELS = { debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARNING", error: "ERROR" };
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with the escape character.
const ANSI = /\u001b\[[0-9;]*m/g;

function write(level, args) {
  const error = args.find((arg) => arg instanceof Error);
  const message = error && args.length === 1 ? `${error.name}: ${error.message}` : format(...args);
  const clean = message.replaceAll(ANSI, "").trim();
  if (clean === "") return;
  process.stdout.write(
    `${JSON.stringify({
      timestamp: new Date().toISOString(),
      level,
      message: clean,
      ...(error && { stack: error.stack, digest: error.digest }),
    })}\n`,
  );
}

for (const [method, level] of Object.entries(LEVELS)) {
  console[method] = (...args) => write(level, args);
}

process.on("uncaughtExceptionMonitor", (error) => write("CRITICAL", [error]));

process.once("SIGTERM", () => {
  write("INFO", ["SIGTERM: finishing open requests"]);
  process.once("exit", () => {
    process.exitCode = 0;
  });
  setTimeout(() => process.exit(), DRAIN_LIMIT_MS).unref();
});
