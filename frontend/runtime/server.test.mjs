// Tests the built server as a process (npm run build first): settings at run time, streams, logs, signals.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SERVER = `${ROOT}.next/standalone`;
const START_TIMEOUT_MS = 30_000;
/** What a page may load before it works: JavaScript, as it travels. */
const JAVASCRIPT_LIMIT_BYTES = 190_000;

before(() => {
  cpSync(`${ROOT}runtime/bootstrap.mjs`, `${SERVER}/bootstrap.mjs`);
  cpSync(`${ROOT}.next/static`, `${SERVER}/.next/static`, { recursive: true });
  cpSync(`${ROOT}public`, `${SERVER}/public`, { recursive: true });
});

const running = new Set();
after(() => {
  for (const child of running) child.kill("SIGKILL");
});

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** Starts the server; `lines` collects what it logs. */
async function start(env) {
  const port = await freePort();
  const child = spawn(process.execPath, ["--import", "./bootstrap.mjs", "server.js"], {
    cwd: SERVER,
    env: { PATH: process.env.PATH, HOSTNAME: "127.0.0.1", PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const exited = once(child, "exit").then(([code]) => {
    running.delete(child);
    return code;
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  return { url: `http://127.0.0.1:${port}`, child, exited, lines: () => output.trim().split("\n") };
}

async function ready(server) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const answer = await fetch(server.url).catch(() => undefined);
    // Read to its end: what is not would keep the connection, and with it the server, from closing.
    if (answer?.ok && (await answer.text())) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server did not start:\n${server.lines().join("\n")}`);
}

async function stop(server) {
  server.child.kill("SIGTERM");
  return server.exited;
}

test("one build, two environments: each start uses its own NEXT_PUBLIC_API_URL", async () => {
  for (const [apiUrl, connect] of [
    ["https://one.example.com", "'self' https://one.example.com"],
    ["https://two.example.com/base/", "'self' https://two.example.com"],
    ["", "'self'"],
  ]) {
    const server = await start({ NEXT_PUBLIC_API_URL: apiUrl });
    const answer = await ready(server);
    const policy = answer.headers.get("content-security-policy");
    assert.match(policy, new RegExp(`connect-src ${connect};`));
    const page = await (await fetch(`${server.url}/login`)).text();
    const handedDown = apiUrl.replace(/\/$/, "");
    assert.ok(
      page.includes(`\\"apiUrl\\":\\"${handedDown}\\"`),
      "the page hands the URL down to the browser",
    );
    assert.equal(await stop(server), 0);
  }
});

test("passes /api on to BACKEND_URL as it streams, finishes the stream on SIGTERM, and exits with 0", async () => {
  const more = Promise.withResolvers();
  const backend = createServer(async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n");
    await more.promise;
    response.end("data: 2\n\n");
  }).listen(0, "127.0.0.1");
  await once(backend, "listening");
  const server = await start({ BACKEND_URL: `http://127.0.0.1:${backend.address().port}` });
  await ready(server);
  const answer = await fetch(`${server.url}/api/chat`, { method: "POST", body: "{}" });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "data: 1\n\n");
  server.child.kill("SIGTERM");
  more.resolve();
  assert.equal((await reader.read()).value, "data: 2\n\n");
  assert.equal((await reader.read()).done, true);
  assert.equal(await server.exited, 0);
  backend.close();
});

test("no page makes the browser load much JavaScript before it works", async () => {
  const server = await start({});
  await ready(server);
  for (const path of ["/", "/login", "/tasks", "/chat"]) {
    const headers = ["/tasks", "/chat"].includes(path) ? { cookie: "session=any" } : {};
    const page = await (await fetch(server.url + path, { headers })).text();
    const scripts = [...page.matchAll(/<script\b[^>]*\bsrc="([^"]+)"[^>]*>/g)].filter(
      ([tag]) => !/\bnoModule\b/i.test(tag),
    );
    assert.ok(scripts.length > 0, `${path} has scripts`);
    const sizes = await Promise.all(
      [...new Set(scripts.map(([, src]) => src))].map(async (src) => {
        const file = await fetch(server.url + src);
        assert.equal(file.status, 200, src);
        return gzipSync(Buffer.from(await file.arrayBuffer())).length;
      }),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(total <= JAVASCRIPT_LIMIT_BYTES, `${path} loads ${total} bytes of JavaScript`);
  }
  await stop(server);
});

test("can be installed, and keeps its pages: the manifest, its icons and the service worker are there", async () => {
  const server = await start({});
  await ready(server);
  const answer = await fetch(`${server.url}/manifest.webmanifest`);
  const manifest = await answer.json();
  assert.equal(manifest.display, "standalone");
  for (const { src, type } of manifest.icons) {
    const icon = await fetch(server.url + src);
    assert.equal(icon.headers.get("content-type"), type, src);
    await icon.arrayBuffer();
  }
  const worker = await fetch(`${server.url}/sw.js`);
  assert.match(worker.headers.get("content-type"), /javascript/);
  assert.match(worker.headers.get("cache-control"), /max-age=0/, "a newer one is noticed");
  await worker.text();
  await stop(server);
});

test("sends visitors without a session to the login, by a path that holds behind any proxy", async () => {
  const server = await start({});
  await ready(server);
  const answer = await fetch(`${server.url}/tasks?tag=home`, { redirect: "manual" });
  assert.equal(answer.status, 307);
  assert.equal(answer.headers.get("location"), "/login?next=%2Ftasks%3Ftag%3Dhome");
  await stop(server);
});

test("sends visitors with a session from the login to where they wanted to go, unless it has expired", async () => {
  const server = await start({});
  await ready(server);
  const login = (query) =>
    fetch(`${server.url}/login${query}`, { redirect: "manual", headers: { cookie: "session=any" } });
  assert.equal((await login("")).headers.get("location"), "/tasks");
  assert.equal((await login("?next=%2Fchat")).headers.get("location"), "/chat");
  assert.equal((await login("?next=https%3A%2F%2Fevil.example")).headers.get("location"), "/tasks");
  const expired = await login("?expired&next=%2Fchat");
  assert.equal(expired.status, 200);
  await expired.text();
  await stop(server);
});

test("logs one JSON object a line, and one for each request but probes and a page's files", async () => {
  const server = await start({});
  await ready(server);
  const ask = async (path, agent) =>
    (await fetch(server.url + path, { headers: { "user-agent": agent }, redirect: "manual" })).text();
  await ask("/login?next=secret", "someone");
  await ask("/login", "kube-probe/1.34");
  await ask("/tasks", "someone");
  await ask("/_next/static/none.js", "someone");
  await stop(server);
  const lines = server.lines().map((line) => JSON.parse(line));
  for (const { timestamp, level, message } of lines) {
    assert.ok(!Number.isNaN(Date.parse(timestamp)) && level && message);
  }
  const requests = lines.filter(({ message, path }) => message === "request" && path !== "/");
  assert.deepEqual(
    requests.map(({ method, path, status }) => `${method} ${path} ${status}`),
    ["GET /login 200", "GET /tasks 307", "GET /_next/static/none.js 404"],
  );
  assert.ok(requests.every(({ duration_ms }) => duration_ms > 0));
  assert.ok(!JSON.stringify(lines).includes("secret"), "a query is nobody's business");
});

test("the licences of what is in it go with it", () => {
  const notices = readFileSync(`${SERVER}/THIRD_PARTY_NOTICES.txt`, "utf8");
  for (const name of ["next", "react", "lucide-react"])
    assert.match(notices, new RegExp(`^${name} \\d`, "m"));
  assert.doesNotMatch(notices, /^(sharp|vitest) \d/m);
});

test("the native image library, which nothing asks for, is left out", () => {
  const left = readdirSync(`${SERVER}/node_modules`);
  assert.ok(left.includes("next"));
  assert.deepEqual(
    left.filter((name) => name === "sharp" || name === "@img"),
    [],
  );
});

test("a setting that cannot be used stops it with one line that names the variable", async () => {
  for (const name of ["NEXT_PUBLIC_API_URL", "BACKEND_URL"]) {
    const server = await start({ [name]: "nonsense" });
    assert.equal(await server.exited, 1);
    const errors = server.lines().filter((line) => JSON.parse(line).level === "ERROR");
    assert.equal(errors.length, 1);
    assert.match(JSON.parse(errors[0]).message, new RegExp(`^${name} `));
  }
});
