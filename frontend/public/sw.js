// The service worker: a page that was open once opens without a network, or with a very slow one, too. Else pages come
// from the server, as ever. What the API says is never kept here. A kept page has the policy that it came with.
const PAGES = "todo-pages";
const FILES = "todo-files";
const PRIVATE_PAGES = new Set(["/tasks", "/chat", "/trash", "/settings"]);
/** What a window is told whose build has been replaced. */
const NEWER = "newer";
const FILE_PATH = "/_next/static/";
const PATIENCE_MS = 1000;
/** Files of builds that are gone must not pile up: a build has far fewer. */
const MOST_FILES = 300;
const ANY_VARIANT = { ignoreVary: true };

/** Windows that show a page of an earlier build, by their ids: they ask once they listen. */
const outdated = new Set();

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && PRIVATE_PAGES.has(url.pathname))
    event.respondWith(page(event, url.pathname));
  else if (url.pathname.startsWith(FILE_PATH)) event.respondWith(file(event));
});

// Pages that somebody may go to before they were open.
self.addEventListener("message", (event) => {
  const { pages, files } = event.data;
  if (outdated.delete(event.source.id)) event.source.postMessage(NEWER);
  event.waitUntil(Promise.all([fetchFiles(files), ...pages.map(fetchPage)]));
});

async function page(event, path) {
  const pages = await caches.open(PAGES);
  const kept = await pages.match(path, ANY_VARIANT);
  let isLate = false;
  const fresh = fetch(event.request).then(async (response) => {
    // To the login: whoever these pages were for is not logged in any longer.
    if (response.type === "opaqueredirect") await caches.delete(PAGES);
    if (isWhole(response)) event.waitUntil(takeOver(event.resultingClientId, path, response.clone(), isLate));
    return response;
  });
  event.waitUntil(fresh.catch(() => {})); // late, it is for the next time
  const instead = async () => kept ?? (await pages.match("/tasks", ANY_VARIANT)) ?? Response.error();
  if (!kept) return fresh.catch(instead);
  const late = new Promise((resolve) => {
    setTimeout(() => {
      isLate = true;
      resolve(kept);
    }, PATIENCE_MS);
  });
  return Promise.race([fresh, late]).catch(instead);
}

const isWhole = (response) => response.status === 200 && !response.redirected;

const filesIn = (text) => [...new Set(text.match(/\/_next\/static\/[\w./~-]+\.(?:js|css|woff2)/g) ?? [])];

/** Keeps what came. A window that shows what was kept before is told if that was of an earlier build. */
async function takeOver(window, path, response, isLate) {
  const before = isLate && (await caches.match(path, { cacheName: PAGES, ...ANY_VARIANT }));
  const now = response.clone();
  await keepPage(path, response);
  if (!before || String(filesIn(await before.text())) === String(filesIn(await now.text()))) return;
  outdated.add(window);
  (await self.clients.get(window))?.postMessage(NEWER);
}

async function keepPage(path, response) {
  await (await caches.open(PAGES)).put(path, response);
}

/** A page with all that it names: without its scripts it would be of no use. */
async function fetchPage(path) {
  if (await caches.match(path, { cacheName: PAGES, ...ANY_VARIANT })) return;
  const response = await fetch(path);
  if (!isWhole(response)) return;
  await fetchFiles(filesIn(await response.clone().text()));
  await keepPage(path, response);
}

async function fetchFiles(names) {
  const files = await caches.open(FILES);
  await Promise.all(
    [...new Set(names)].map(async (name) => {
      if (!(await files.match(name))) await files.add(name);
    }),
  );
}

/** Those that never change. While the pages are worked on, files keep their names and change. */
async function file(event) {
  const files = await caches.open(FILES);
  const kept = await files.match(event.request);
  if (kept) return kept;
  const response = await fetch(event.request);
  if (isWhole(response) && /immutable/.test(response.headers.get("cache-control")))
    event.waitUntil(keepFile(files, event.request, response.clone()));
  return response;
}

async function keepFile(files, request, response) {
  await files.put(request, response);
  const all = await files.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length - MOST_FILES)).map((old) => files.delete(old)));
}
