"use client";

import { Check, Copy } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import type { ApiTokenCreated } from "@/lib/api/types";
import { Button } from "@/ui/button";
import { controlClass } from "@/ui/field";

/** A token, the one time that it can be seen. */
export function NewToken({ token, onDone }: { token: ApiTokenCreated; onDone: () => void }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  useEffect(() => input.current?.focus(), []);

  const copy = async () => {
    input.current?.select();
    // Browsers let pages without TLS write nothing there: what is selected can be copied by hand.
    await navigator.clipboard?.writeText(token.token).then(
      () => setCopied(true),
      () => {},
    );
  };
  return (
    <div className="grid w-full gap-2 rounded-xl bg-good-tint p-4 text-sm">
      <label htmlFor={id} className="text-good">
        The token “{token.name}”. Copy it now: it is not shown again.
      </label>
      <div className="flex flex-wrap gap-2">
        <input
          ref={input}
          id={id}
          value={token.token}
          readOnly
          onFocus={(event) => event.currentTarget.select()}
          className={`${controlClass} h-10 min-w-0 flex-1 basis-48 font-mono text-sm`}
        />
        <Button onClick={copy}>
          {copied ? <Check aria-hidden className="size-4" /> : <Copy aria-hidden className="size-4" />}
          {copied ? "Copied" : "Copy"}
        </Button>
        <Button tone="quiet" onClick={onDone}>
          Done
        </Button>
      </div>
    </div>
  );
}
