"use client";

import "./globals.css";

/** The last resort, when even the layout fails: plain, and without anything that could fail again. */
export default function GlobalError() {
  return (
    <html lang="en">
      <title>Something went wrong · Todo</title>
      <body className="grid min-h-dvh place-items-center px-5 text-center font-sans">
        <main>
          <h1 className="font-semibold text-2xl">Something went wrong</h1>
          <p className="mt-2 text-muted">Your tasks are safe.</p>
          <p className="mt-6">
            <a href="/" className="font-medium text-accent underline underline-offset-4">
              Load the start page again
            </a>
          </p>
        </main>
      </body>
    </html>
  );
}
