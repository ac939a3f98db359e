"use client";

import { CircleAlert, CircleCheck, X } from "lucide-react";
import { Toast as Radix } from "radix-ui";
import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from "react";
import { useShortcuts } from "@/lib/shortcuts";
import { useMounted } from "@/lib/use-mounted";
import { Kbd } from "./kbd";

/** A short message at the foot of the page. */
export type ToastMessage = {
  text: string;
  tone?: "neutral" | "error";
  /** A button in the message; `hint` tells screen-reader users another way to the same thing. */
  action?: { label: string; hint: string; run: () => void };
  /** Takes back what the message tells of: a button "Undo", and the key for it, while the message is there. */
  undo?: () => void;
};

type Shown = ToastMessage & { id: number; open: boolean };

const ToastContext = createContext<((message: ToastMessage) => () => void) | null>(null);

/** Returns the function that shows a message, and which returns one that takes the message away again. */
export function useToast() {
  const show = useContext(ToastContext);
  if (!show) throw new Error("useToast needs a ToastProvider above it");
  return show;
}

const ACTION = "rounded-md px-3 py-1.5 font-semibold text-accent text-sm hover:bg-hover";
/** Enough for who reads slowly, or with a slow machine. */
const UNDO_MS = 20_000;
const EXIT_MS = 200;
const MAX_SHOWN = 3;
let lastId = 0;

const durationOf = ({ action, undo, tone }: ToastMessage) =>
  action && tone === "error" ? Number.POSITIVE_INFINITY : action || undo ? UNDO_MS : 6000;

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Shown[]>([]);

  const mounted = useMounted();
  const shown = useRef<Shown[]>([]);

  const close = useCallback((id: number) => {
    if (!shown.current.some((other) => other.id === id && other.open)) return;
    const set = (next: Shown[]) => {
      shown.current = next;
      setToasts(next);
    };
    set(shown.current.map((other) => (other.id === id ? { ...other, open: false } : other)));
    setTimeout(() => set(shown.current.filter((other) => other.id !== id)), EXIT_MS);
  }, []);

  const show = useCallback(
    (message: ToastMessage) => {
      const id = ++lastId;
      shown.current = [...shown.current, { ...message, id, open: true }];
      setToasts(shown.current);
      const open = shown.current.filter((toast) => toast.open);
      for (const toast of open.slice(0, -MAX_SHOWN)) close(toast.id);
      return () => close(id);
    },
    [close],
  );

  const undo = (toast: Shown) => {
    toast.undo?.();
    close(toast.id);
  };
  const undoLast = () => {
    const last = shown.current.findLast((toast) => toast.open && toast.undo);
    if (last) undo(last);
  };
  useShortcuts({ z: undoLast, "Mod+z": undoLast });

  return (
    <ToastContext value={show}>
      <Radix.Provider swipeDirection="right" label="Notification">
        {children}
        {toasts.map((toast) => (
          <Radix.Root
            key={toast.id}
            open={toast.open}
            onOpenChange={(open) => !open && close(toast.id)}
            duration={durationOf(toast)}
            type={toast.tone === "error" ? "foreground" : "background"}
            className="flex w-full animate-rise items-center gap-3 rounded-xl border border-line bg-raised py-2 pr-2 pl-4 shadow-float"
          >
            {toast.tone === "error" ? (
              <CircleAlert aria-hidden className="size-5 shrink-0 text-danger" />
            ) : (
              <CircleCheck aria-hidden className="size-5 shrink-0 text-good" />
            )}
            <Radix.Title className="min-w-0 flex-1 break-words py-1 text-sm">{toast.text}</Radix.Title>
            {toast.action && (
              <Radix.Action altText={toast.action.hint} onClick={toast.action.run} className={ACTION}>
                {toast.action.label}
              </Radix.Action>
            )}
            {toast.undo && (
              <Radix.Action
                altText="Press Z to undo"
                aria-keyshortcuts="z"
                onClick={() => undo(toast)}
                className={ACTION}
              >
                Undo
                <span aria-hidden className="ml-2 hidden md:inline">
                  <Kbd>z</Kbd>
                </span>
              </Radix.Action>
            )}
            <Radix.Close
              aria-label="Dismiss"
              className="rounded-md p-1.5 text-muted hover:bg-hover hover:text-text"
            >
              <X aria-hidden className="size-4" />
            </Radix.Close>
          </Radix.Root>
        ))}
        {/* Not rendered on the server: it would carry a style attribute, which the page's policy forbids. */}
        {mounted && (
          <Radix.Viewport className="fixed inset-x-4 bottom-20 z-50 mx-auto flex max-w-md flex-col gap-2 md:bottom-6" />
        )}
      </Radix.Provider>
    </ToastContext>
  );
}
