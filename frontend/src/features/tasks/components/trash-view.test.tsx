// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { json, problem, serve, task } from "@/test/api";
import { renderPage } from "@/test/render";
import { TrashView } from "./trash-view";

const deleted = (title: string) => ({
  ...task({ title }),
  deleted_at: "2026-11-20T09:00:00Z",
  purged_at: "2026-12-20T09:00:00Z",
});

it("shows what was deleted and until when it can be had back, page by page", async () => {
  const items = [deleted("Read")];
  const calls = serve({
    "GET /api/trash": ({ url }) =>
      url.searchParams.has("cursor")
        ? json({ items: [deleted("Write")], next_cursor: null })
        : json({ items, next_cursor: "c2" }),
    "POST /api/tasks/*/restore": () => json(items.pop()),
  });
  const { user } = renderPage(<TrashView />);
  await screen.findByText("Read");
  expect(screen.getByText(/^Deleted on .*November.*, gone for good on .*December/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Show more" }));
  await screen.findByText("Write");
  await user.click(screen.getByRole("button", { name: "Bring back “Read”" }));
  await waitFor(() => expect(screen.queryByText("Read")).toBeNull());
  expect(calls.some((c) => c.call.endsWith("/restore"))).toBe(true);
});

it("says that it is empty, or that it could not be read", async () => {
  let healthy = false;
  serve({
    "GET /api/trash": () =>
      healthy ? json({ items: [], next_cursor: null }) : problem(400, "bad_request", "That was wrong."),
  });
  const { user } = renderPage(<TrashView />);
  await screen.findByText("That was wrong.");
  healthy = true;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByText("The trash is empty.");
});
