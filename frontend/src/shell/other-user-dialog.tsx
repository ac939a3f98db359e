"use client";

import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";

const reload = () => location.reload();

/** Says that this window shows somebody who is no longer logged in: the only way on is a page for who is. */
export function OtherUserDialog() {
  return (
    <Dialog
      open
      onOpenChange={reload}
      title="Somebody else is logged in by now"
      description="Another window of this browser has logged in with another account. Nothing was changed there."
    >
      <div className="flex justify-end">
        <Button tone="primary" onClick={reload}>
          Go on with that account
        </Button>
      </div>
    </Dialog>
  );
}
