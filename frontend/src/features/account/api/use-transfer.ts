"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { unwrap } from "@/lib/api/client";
import { exportAll, importAll } from "@/lib/api/generated";
import { ApiProblem } from "@/lib/api/problem";
import type { ImportFile } from "@/lib/api/types";
import { ROOTS } from "@/lib/query-keys";
import { useRuntime } from "@/lib/runtime";

export type ExportFormat = "json" | "csv";

/** What the API takes at most. */
const MAX_IMPORT_BYTES = 10 * 1024 * 1024;

const RELEASE_MS = 10_000;

/** However long a file takes on its way: other answers come within seconds, or not at all. */
const patient: typeof fetch = (input, init) => fetch(input, init);

/** Has everything of the user's saved as a file, once the whole of it has arrived. */
export function useExport() {
  const { api } = useRuntime();
  return useMutation({
    mutationFn: async (format: ExportFormat) => {
      const file = await unwrap(
        exportAll({ client: api, query: { format }, parseAs: "blob", fetch: patient }),
      );
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file as unknown as Blob);
      link.download = `todo.${format}`;
      link.click();
      // The browser has begun to read by then.
      setTimeout(() => URL.revokeObjectURL(link.href), RELEASE_MS);
    },
  });
}

/** What can be read of a file that somebody chose. */
async function read(file: File): Promise<ImportFile> {
  if (file.size > MAX_IMPORT_BYTES) throw refused("The file has more than 10 MiB.");
  try {
    return JSON.parse(await file.text());
  } catch {
    throw refused("This is no export of Todo: choose a file that ends in .json.");
  }
}

const refused = (detail: string) => new ApiProblem(422, { code: "no_export", detail });

/** Adds what an export has and the account has not. */
export function useImport() {
  const { api } = useRuntime();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (file: File) =>
      unwrap(importAll({ client: api, body: await read(file), fetch: patient })),
    // What came in before a failure is there, too.
    onSettled: () => {
      for (const queryKey of Object.values(ROOTS)) void client.invalidateQueries({ queryKey });
    },
  });
}
