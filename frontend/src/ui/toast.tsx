"use client";

import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from "react";
import { useShortcuts } from "@/lib/shortcuts";
import { useLater } from "@/lib/use-later";

const loadToasts = () => import("./toasts");

/** A short message at the foot of the page. */
export type ToastMessage = {
  text: string;
  tone?: "neutral" | "error";
  /** A button in the message; `hint` tells screen-reader users another way to the same thing. */
  action?: { label: string; hint: string; run: () => void };
  /** Takes back what the message tells of: a button "Undo", and the key for it, while the message is there. */
  undo?: () => void;
};

/** A message on its way through the page. */
export type ShownToast = ToastMessage & { id: number; open: boolean };

const ToastContext = createContext<((message: ToastMessage) => () => void) | null>(null);

/** Returns the function that shows a message, and which returns one that takes the message away again. */
export function useToast() {
  const show = useContext(ToastContext);
  if (!show) throw new Error("useToast needs a ToastProvider above it");
  return show;
}

const EXIT_MS = 200;
const MAX_SHOWN = 3;
let lastId = 0;

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<ShownToast[]>([]);
  const view = useLater(loadToasts, toasts.length > 0);
  const shown = useRef<ShownToast[]>([]);

  const close = useCallback((id: number) => {
    if (!shown.current.some((other) => other.id === id && other.open)) return;
    const set = (next: ShownToast[]) => {
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

  const undo = (toast: ShownToast) => {
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
      {children}
      {view && toasts.length > 0 && <view.Toasts toasts={toasts} onClose={close} onUndo={undo} />}
    </ToastContext>
  );
}
