"use client";

import { Button } from "@/ui/button";
import { Message } from "@/ui/message";

/** Shown when a page fails to render; the digest finds the error in the server's log. */
export default function ErrorPage({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  const reference = error.digest ? ` Reference: ${error.digest}.` : "";
  return (
    <Message
      title="Something went wrong"
      text={`Your tasks are safe; this page could not be shown.${reference}`}
    >
      <Button tone="primary" onClick={reset}>
        Try again
      </Button>
      <Button onClick={() => location.assign("/")}>Start page</Button>
    </Message>
  );
}
