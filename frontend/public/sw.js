// The service worker: a page that was open once opens without a network, or with a very slow one, too. Else pages come
// from the server, as ever. What the API says is never kept here. A kept page has the policy that it came with.
const PAGES = "todo-pages";
const FILES = "todo-files";
const PRIVATE_PAGES = new Set(["/tasks", "/chat", "/trash", "/settings"]);
const FILE_PATH = "/_next/static/";
const PATIENCE_MS = 1000;
/** Files of builds that are gone must not pile up: a build has far fewer. */
const MOST_FILES = 300;

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
  event.waitUntil(Promise.all([fetchFiles(files), ...pages.map(fetchPage)]));
});

async function page(event, path) {
  const pages = await caches.open(PAGES);
  const kept =
    (await pages.match(path, { ignoreVary: true })) ?? (await pages.match("/tasks", { ignoreVary: true }));
  const fresh = fetch(event.request).then((response) => {
    if (isWhole(response)) event.waitUntil(keepPage(path, response.clone()));
    return response;
  });
  if (!kept) return fresh;
  event.waitUntil(fresh.catch(() => {})); // late, it is for the next time
  const late = new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  return Promise.race([fresh, late]).catch(() => kept);
}

const isWhole = (response) => response.status === 200 && !response.redirected;

async function keepPage(path, response) {
  await (await caches.open(PAGES)).put(path, response);
}

/** A page with all that it names: without its scripts it would be of no use. */
async function fetchPage(path) {
  if (await caches.match(path, { cacheName: PAGES, ignoreVary: true })) return;
  const response = await fetch(path);
  if (!isWhole(response)) return;
  const text = await response.clone().text();
  await fetchFiles(text.match(/\/_next\/static\/[\w./~-]+\.(?:js|css|woff2)/g) ?? []);
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

/** Files have names of their own for each build, and never change. */
async function file(event) {
  const files = await caches.open(FILES);
  const kept = await files.match(event.request);
  if (kept) return kept;
  const response = await fetch(event.request);
  if (isWhole(response)) event.waitUntil(keepFile(files, event.request, response.clone()));
  return response;
}

async function keepFile(files, request, response) {
  await files.put(request, response);
  const all = await files.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length - MOST_FILES)).map((old) => files.delete(old)));
}
