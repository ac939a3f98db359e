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

/** Spreadsheets give tables other types than `text/csv`, too. */
const isTable = ({ name, type }: File) => type === "text/csv" || /\.csv$/i.test(name);

/** What goes to the API of a file that somebody chose. */
async function contentOf(file: File): Promise<Pick<Parameters<typeof importAll>[0], "body" | "headers">> {
  if (file.size > MAX_IMPORT_BYTES) throw refused("The file has more than 10 MiB.");
  // The file as it is: the API reads it. The client that is generated knows of JSON only.
  if (isTable(file)) return { body: file as unknown as ImportFile, headers: TABLE };
  try {
    return { body: JSON.parse(await file.text()) };
  } catch {
    throw refused("This is no export of Todo: choose a file that ends in .json or .csv.");
  }
}

const TABLE = { "Content-Type": "text/csv" };
const inFull = (body: unknown) => (body instanceof File ? body : JSON.stringify(body));

const refused = (detail: string) => new ApiProblem(422, { code: "no_export", detail });

/** Adds what an export, or a table of tasks, has and the account has not. */
export function useImport() {
  const { api } = useRuntime();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (file: File) =>
      unwrap(importAll({ client: api, ...(await contentOf(file)), bodySerializer: inFull, fetch: patient })),
    // What came in before a failure is there, too.
    onSettled: () => {
      for (const queryKey of Object.values(ROOTS)) void client.invalidateQueries({ queryKey });
    },
  });
}
