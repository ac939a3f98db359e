import { act } from "@testing-library/react";
import { useSyncExternalStore } from "react";

/** Next's navigation hooks on top of jsdom's address bar, and a record of where the app went. */
const listeners = new Set<() => void>();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
const useAddress = <T>(read: () => T) => useSyncExternalStore(subscribe, read, read);

/** What the router knows of the address, and what it has yet to take over. */
let routed = { pathname: "/", params: new URLSearchParams() };
let late: URL[] | undefined;

function take({ pathname, search }: Pick<URL, "pathname" | "search">) {
  const { params } = routed;
  // The same object until the parameters change, as Next has it.
  const same = params.toString() === new URLSearchParams(search).toString();
  routed = { pathname, params: same ? params : new URLSearchParams(search) };
  for (const listener of listeners) listener();
}

const changed = () => (late ? late.push(new URL(location.href)) : take(location));

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
    usePathname: () => useAddress(() => routed.pathname),
    useSearchParams: () => useAddress(() => routed.params),
  },
  /** Begins a test at this address. */
  at: (href: string) => history.replaceState(null, "", href),
  /** Lets the router fall behind, as a slow one does, until the returned function has it catch up, one by one. */
  hold() {
    const held: URL[] = [];
    late = held;
    return async () => {
      late = undefined;
      for (const address of held) await act(async () => take(address));
    };
  },
  install() {
    for (const name of ["pushState", "replaceState"] as const) {
      const original = history[name].bind(history);
      history[name] = (...args) => {
        original(...args);
        changed();
      };
    }
    addEventListener("popstate", changed);
  },
  reset() {
    went.length = 0;
    late = undefined;
    history.replaceState(null, "", "/");
  },
};
