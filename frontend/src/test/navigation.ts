import { useSyncExternalStore } from "react";

/** Next's navigation hooks on top of jsdom's address bar, and a record of where the app went. */
const listeners = new Set<() => void>();
const changed = () => {
  for (const listener of listeners) listener();
};

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
const useAddress = <T>(read: () => T) => useSyncExternalStore(subscribe, read, read);

let params = new URLSearchParams();
function searchParams() {
  // The same object until the address changes, as Next has it.
  if (params.toString() !== new URLSearchParams(location.search).toString()) {
    params = new URLSearchParams(location.search);
  }
  return params;
}

const went: string[] = [];
const go = (href: string) => {
  went.push(href);
  history.pushState(null, "", href);
};
const router = { push: go, replace: go, back: () => history.back(), refresh: () => {}, prefetch: () => {} };

export const navigation = {
  went,
  module: {
    useRouter: () => router,
    usePathname: () => useAddress(() => location.pathname),
    useSearchParams: () => useAddress(searchParams),
  },
  /** Begins a test at this address. */
  at: (href: string) => history.replaceState(null, "", href),
  install() {
    for (const name of ["pushState", "replaceState"] as const) {
      const original = history[name].bind(history);
      history[name] = (...args) => {
        original(...args);
        changed();
      };
    }
  },
  reset() {
    went.length = 0;
    history.replaceState(null, "", "/");
  },
};
