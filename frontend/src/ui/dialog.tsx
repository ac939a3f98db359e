"use client";

import { setNonce } from "get-nonce";
import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { IconButton } from "./button";

/**
 * The nonce that this document's policy allows, for the styles that dialogs set. It is that of the first
 * page that was loaded: later pages come without a document of their own, and so without a new policy.
 */
function documentNonce(): string | undefined {
  return document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce;
}

const nonce = typeof document === "undefined" ? undefined : documentNonce();
if (nonce) setNonce(nonce);

type DialogProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
};

/**
 * A modal dialog: focus is kept inside, Escape closes, its title names it. Afterwards the focus is back where it
 * was, or where the page's content begins if that is gone.
 */
export function Dialog({ open, onOpenChange, title, description, children }: DialogProps) {
  const [opener] = useState(() => (typeof document === "undefined" ? null : document.activeElement));
  const returnFocus = (event: Event) => {
    event.preventDefault(); // Radix would look for a trigger of its own, and find none
    (opener as HTMLElement | null)?.focus();
    if (document.activeElement === document.body) document.getElementById("main")?.focus();
  };
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <Radix.Content
          {...(description ? {} : { "aria-describedby": undefined })}
          onCloseAutoFocus={returnFocus}
          className="fixed inset-x-4 top-[10dvh] z-50 mx-auto max-h-[80dvh] max-w-md animate-rise overflow-y-auto rounded-2xl border border-line bg-raised p-6 shadow-float"
        >
          <div className="mb-4 flex items-start justify-between gap-4">
            <div>
              <Radix.Title className="font-semibold text-lg">{title}</Radix.Title>
              {description && (
                <Radix.Description className="mt-1 text-muted text-sm">{description}</Radix.Description>
              )}
            </div>
            <Radix.Close asChild>
              <IconButton label="Close" className="-mt-1 -mr-2">
                <X aria-hidden className="size-5" />
              </IconButton>
            </Radix.Close>
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
