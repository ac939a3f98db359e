// Loaded before Next's server (node --import): one JSON object a line on stdout for every request and everything
// that is logged, and an orderly end on SIGTERM. Next drains the connections itself; two things are added here:
// a limit for the drain, and exit status 0, since stopping on request is no failure.
import { subscribe } from "node:diagnostics_channel";
import { format } from "node:util";

const DRAIN_LIMIT_MS = 20_000;
const LEVELS = { debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARNING", error: "ERROR" };
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with the escape character.
const ANSI = /\u001b\[[0-9;]*m/g;

function writeLine(level, message, fields) {
  process.stdout.write(
    `${JSON.stringify({ timestamp: new Date().toISOString(), level, message, ...fields })}\n`,
  );
}

function write(level, args) {
  const error = args.find((arg) => arg instanceof Error);
  const message = error && args.length === 1 ? `${error.name}: ${error.message}` : format(...args);
  const clean = message.replaceAll(ANSI, "").trim();
  if (clean !== "") writeLine(level, clean, error && { stack: error.stack, digest: error.digest });
}

for (const [method, level] of Object.entries(LEVELS)) {
  console[method] = (...args) => write(level, args);
}

// A line a request, as the backend writes it: without the query, which may hold a person's words. Probes ask every
// few seconds and a page's files by the dozen; of both only failures are worth a line.
subscribe("http.server.request.start", ({ request, response }) => {
  const received = performance.now();
  response.once("close", () => {
    // 499, as nginx has it: the client went away before the answer began.
    const status = response.headersSent ? response.statusCode : 499;
    const path = request.url.split("?", 1)[0];
    const silent =
      path.startsWith("/_next/static/") || request.headers["user-agent"]?.startsWith("kube-probe/");
    if (silent && status < 400) return;
    const duration_ms = Math.round((performance.now() - received) * 100) / 100;
    writeLine("INFO", "request", { path, method: request.method, status, duration_ms });
  });
});

process.on("uncaughtExceptionMonitor", (error) => write("CRITICAL", [error]));

process.once("SIGTERM", () => {
  write("INFO", ["SIGTERM: finishing open requests"]);
  process.once("exit", () => {
    process.exitCode = 0;
  });
  setTimeout(() => process.exit(), DRAIN_LIMIT_MS).unref();
});
