// Tests what takes changes in while the pages are worked on, beside a development server that says what it is told.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import ws from "next/dist/compiled/ws/index.js";

const scene = mkdtempSync(join(tmpdir(), "develop-"));
const server = new ws.WebSocketServer({ host: "127.0.0.1", port: 0 });
await once(server, "listening");
const code = join(scene, "src");
mkdirSync(join(code, "ui"), { recursive: true });
writeFileSync(join(code, "ui/a.ts"), "one");
const child = spawn(
  process.execPath,
  [fileURLToPath(new URL("develop.mjs", import.meta.url)), code, `127.0.0.1:${server.address().port}`],
  { stdio: ["pipe", "pipe", "inherit"] },
);
const [browser] = await once(server, "connection");
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
after(() => {
  server.close();
  child.kill();
  rmSync(scene, { recursive: true });
});

const hear = async () => JSON.parse((await lines.next()).value);
async function ask(question) {
  child.stdin.write(`${JSON.stringify({ id: 7, ...question })}\n`);
  const { id, ...answer } = await hear();
  assert.equal(id, 7);
  return answer;
}
const base64 = (text) => Buffer.from(text).toString("base64");
const tell = (...messages) => {
  for (const message of messages) browser.send(JSON.stringify(message));
};
const build = (...errors) => tell({ type: "building" }, { type: "built", errors });

test("says what is there, and takes in what is new, other and gone", async () => {
  assert.deepEqual(Object.keys((await ask({ op: "manifest" })).files), ["src/ui/a.ts"]);
  const write = { "src/ui/a.ts": base64("two"), "src/lib/new/b.ts": base64("b") };
  assert.deepEqual(await ask({ op: "apply", write }), { change: 1 });
  assert.equal(readFileSync(join(code, "ui/a.ts"), "utf8"), "two");
  build();
  const { imported, ...served } = await hear();
  assert.deepEqual(served, { change: 1, event: "serving" });
  assert.ok(imported >= 0);
  assert.deepEqual(await ask({ op: "apply", delete: ["src/lib/new/b.ts"] }), { change: 2 });
  assert.ok(!existsSync(join(code, "lib")), "nor is a folder left that nothing is in");
  assert.deepEqual(readdirSync(code), ["ui"]);
  assert.equal((await hear()).event, "unused", "nothing that was compiled has it in it");
});

test("tells of a mistake, and whoever comes later, too", async () => {
  const write = { "src/ui/a.ts": base64("return (") };
  assert.deepEqual(await ask({ op: "apply", write }), { change: 3 });
  tell({ type: "built", errors: [] }); // of a build that began before
  build({ message: "\u001b[31m./src/ui/a.ts:1\u001b[0m\nUnexpected eof" });
  const { event, traceback } = await hear();
  assert.deepEqual([event, traceback], ["failed", "./src/ui/a.ts:1\nUnexpected eof"]);
  assert.equal((await ask({ op: "manifest" })).failed, traceback);
  assert.deepEqual(await ask({ op: "apply", write: { "src/ui/a.ts": base64("three") } }), { change: 4 });
  build();
  assert.equal((await hear()).event, "serving");
  assert.equal((await ask({ op: "manifest" })).failed, "");
});

test("writes nowhere else, and says what it cannot do", async () => {
  for (const name of ["next.config.ts", "src/../evil", "../evil", "/etc/evil", "src"]) {
    assert.match((await ask({ op: "apply", write: { [name]: "" } })).error, /no path below the code/, name);
  }
  assert.match((await ask({ op: "nonsense" })).error, /no op/);
});

test("ends with the connection", async () => {
  child.stdin.end();
  assert.deepEqual(await once(child, "exit"), [0, null]);
});
