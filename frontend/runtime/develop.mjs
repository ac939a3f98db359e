// Takes changes of the code in, in the image's stage `dev`: node runtime/develop.mjs FOLDER ADDRESS. Messages are JSON
// objects, one a line, as backend/develop/supervisor.py describes them; files are those of FOLDER, by paths such as
// src/proxy.ts. What the development server at ADDRESS makes of a change it tells everybody who is connected to it.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { createInterface } from "node:readline";

/** How long after a change nothing that has been compiled is taken to have it in it. */
const UNUSED_MS = 1500;
const CONNECT_AGAIN_MS = 500;
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with the escape character.
const ANSI = /\u001b\[[0-9;]*m/g;

const [, , folder, address] = process.argv;
const root = dirname(folder);
/** A file before it is put into its place. */
const fresh = join(folder, ".new");
let changes = 0;
/** The change that nothing is known of yet: its number, when it came, and what ends the waiting. */
let pending;
let failed = "";

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

function manifest() {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files.map((file) => {
      const path = join(file.parentPath, file.name);
      return [relative(root, path), createHash("sha256").update(readFileSync(path)).digest("hex")];
    }),
  );
}

/** Where a file is that a message names. */
function place(name) {
  const path = join(root, posix.normalize(name));
  if (!path.startsWith(`${folder}/`)) throw new Error(`"${name}" is no path below the code`);
  return path;
}

/** Writes files, given in base64, and deletes others. Nobody ever sees half of a file. */
function apply(write = {}, remove = []) {
  const written = Object.entries(write).map(([name, data]) => [place(name), Buffer.from(data, "base64")]);
  const removed = remove.map(place);
  for (const [path, data] of written) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(fresh, data);
    renameSync(fresh, path);
  }
  for (const path of removed) {
    rmSync(path, { force: true });
    tidy(dirname(path));
  }
}

/** Removes folders that nothing is left in. */
function tidy(path) {
  if (path === folder || readdirSync(path).length > 0) return;
  rmdirSync(path);
  tidy(dirname(path));
}

function answer({ op, write, delete: remove }) {
  if (op === "manifest") return { files: manifest(), failed };
  if (op !== "apply") throw new Error(`there is no op "${op}"`);
  apply(write, remove);
  changes += 1;
  return { change: changes };
}

/** What became of the pending change. */
function settle(event) {
  if (!pending) return;
  clearTimeout(pending.unused);
  const { change, since } = pending;
  pending = undefined;
  say({ change, imported: (performance.now() - since) / 1000, ...event });
}

/** Listens to what the development server tells browsers. */
function listen() {
  const server = new WebSocket(`ws://${address}/_next/hmr?id=develop`);
  server.onmessage = ({ data }) => {
    if (typeof data !== "string") return;
    const { type, errors = [] } = JSON.parse(data);
    if (type === "building" && pending) {
      clearTimeout(pending.unused);
      pending.building = true;
    }
    if (type !== "built" && type !== "sync") return;
    failed = [...new Set(errors.map(({ message }) => message.replaceAll(ANSI, "")))].join("\n\n");
    // A build that began before the change came may not have it.
    if (pending?.building) settle(failed ? { event: "failed", traceback: failed } : { event: "serving" });
  };
  server.onclose = () => setTimeout(listen, CONNECT_AGAIN_MS);
  server.onerror = () => {};
}

listen();
for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...question } = JSON.parse(line);
  try {
    const given = answer(question);
    say({ id, ...given });
    if (given.change) {
      clearTimeout(pending?.unused);
      const unused = setTimeout(() => settle({ event: "unused" }), UNUSED_MS);
      pending = { change: given.change, since: performance.now(), unused };
    }
  } catch (error) {
    say({ id, error: error.message });
  }
}
process.exit();
