"use client";

import { CircleAlert, CircleCheck, X } from "lucide-react";
import { Toast as Radix } from "radix-ui";
import { Kbd } from "./kbd";
import type { ShownToast, ToastMessage } from "./toast";

const ACTION = "rounded-md px-3 py-1.5 font-semibold text-accent text-sm hover:bg-hover";
/** Enough for who reads slowly, or with a slow machine. */
const UNDO_MS = 20_000;

const durationOf = ({ action, undo, tone }: ToastMessage) =>
  action && tone === "error" ? Number.POSITIVE_INFINITY : action || undo ? UNDO_MS : 6000;

type ToastsProps = {
  toasts: ShownToast[];
  onClose: (id: number) => void;
  onUndo: (toast: ShownToast) => void;
};

/** The messages that there are. A part of its own: a page has none before something has happened. */
export function Toasts({ toasts, onClose, onUndo }: ToastsProps) {
  return (
    <Radix.Provider swipeDirection="right" label="Notification">
      {toasts.map((toast) => (
        <Radix.Root
          key={toast.id}
          open={toast.open}
          onOpenChange={(open) => !open && onClose(toast.id)}
          duration={durationOf(toast)}
          type={toast.tone === "error" ? "foreground" : "background"}
          className="flex w-full animate-rise items-center gap-3 rounded-xl border border-line bg-raised py-2 pr-2 pl-4 shadow-float"
        >
          {toast.tone === "error" ? (
            <CircleAlert aria-hidden className="size-5 shrink-0 text-danger" />
          ) : (
            <CircleCheck aria-hidden className="size-5 shrink-0 text-good" />
          )}
          <Radix.Title dir="auto" className="min-w-0 flex-1 break-words py-1 text-sm">
            {toast.text}
          </Radix.Title>
          {toast.action && (
            <Radix.Action altText={toast.action.hint} onClick={toast.action.run} className={ACTION}>
              {toast.action.label}
            </Radix.Action>
          )}
          {toast.undo && (
            <Radix.Action
              altText="Press Z to undo"
              aria-keyshortcuts="z"
              onClick={() => onUndo(toast)}
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
      <Radix.Viewport className="print:hidden fixed inset-x-4 bottom-20 z-50 mx-auto flex max-w-md flex-col gap-2 md:bottom-6" />
    </Radix.Provider>
  );
}
